//! Writes what the page knows of the arena: run it in the root of the repository after a change of the game's numbers.

fn main() -> std::io::Result<()> {
    std::fs::write(arena::page::PATH, arena::page::module())
}
