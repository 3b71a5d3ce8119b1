//! Crates made up to show that each kind of mistake is found, and that nothing else is.

use crate::allowed::{Allowed, judge};
use crate::circles::{Circle, find};
use crate::crates::Crate;
use crate::map::{Line, Package, Row, check_order, check_packages, order, rows};

fn made_up(files: &[(&str, &str)]) -> Crate {
    let read = |path: &str| files.iter().find(|(file, _)| *file == path).map(|(_, text)| (*text).to_string());
    Crate::read("src/lib.rs", &read)
}

/// The members of each circle.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let members = |circle: &Circle| circle.members.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    find(&made_up(files)).iter().map(members).collect()
}

#[test]
fn files_that_need_each_other_are_a_circle_however_they_say_so() {
    let a = "use crate::b::B; pub struct A;";
    let says = [
        "use crate::a::A; pub struct B;",
        "use super::a::A; pub struct B;",
        "use super::{a::{self, A}}; pub struct B;",
        "pub struct B; fn f() -> crate::a::A { todo!() }",
        "use super::a; pub struct B; fn f(_: a::A) {}",
        "pub struct B; fn f() { println!(\"{:?}\", crate::a::A) }",
        "pub struct B; fn f() { use crate::a::A as Other; }",
        "use crate::Shown; pub struct B;",
        "use crate::*; pub struct B; fn f(_: Shown) {}",
        "pub struct B; mod inside { use crate::a::A; }",
    ];
    for b in says {
        let root = "mod a; mod b; pub use a::A as Shown;";
        assert_eq!(circles(&[("src/lib.rs", root), ("src/a.rs", a), ("src/b.rs", b)]), ["src/a.rs src/b.rs"], "{b}");
    }
}

#[test]
fn tests_other_crates_and_strings_make_no_circle() {
    let a = "use crate::b::B; pub struct A;";
    let says = [
        "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
        "pub struct B; #[cfg(all(test, unix))] mod tests { use crate::a::A; }",
        "pub struct B; #[cfg(test)] use crate::a::A;",
        "pub struct B; impl B { #[cfg(test)] fn f(_: crate::a::A) {} }",
        "use ::a::A; pub struct B;",
        "use a::A; pub struct B;",
        "pub struct B; fn f() { println!(\"crate::a::A\") }",
        "/// [`crate::a::A`]\npub struct B;",
        "pub struct B; pub(in crate::a) fn f() {}",
    ];
    for b in says {
        assert_eq!(circles(&[("src/lib.rs", "mod a; mod b;"), ("src/a.rs", a), ("src/b.rs", b)]), [""; 0], "{b}");
    }
    let shadow = [("src/lib.rs", "mod http; pub struct Code;"), ("src/http.rs", "use http::Code; pub struct Page(Code);")];
    assert_eq!(circles(&shadow), [""; 0], "another crate of the same name");
}

#[test]
fn a_parent_may_show_what_its_children_define_and_no_more() {
    let with_parent = |parent: &str| circles(&[("src/lib.rs", parent), ("src/a.rs", "use super::Shared; pub struct A(Shared);")]);
    assert_eq!(with_parent("mod a; pub use a::A; pub struct Shared;"), [""; 0]);
    assert_eq!(with_parent("mod a; pub(crate) use a::A; pub struct Shared;"), [""; 0]);
    assert_eq!(with_parent("mod a; pub use a::A; pub struct Shared; pub fn f() -> A { todo!() }"), ["src/a.rs src/lib.rs"]);
    assert_eq!(with_parent("mod a; use a::A; pub struct Shared;"), ["src/a.rs src/lib.rs"]);
    assert_eq!(with_parent("mod a; pub struct Shared; pub fn f() { a::g() }"), ["src/a.rs src/lib.rs"]);
}

#[test]
fn siblings_that_meet_by_what_their_parent_shows_need_no_parent() {
    let files = [
        ("src/lib.rs", "mod a; mod b; pub use a::A; pub use b::B; fn f(_: A, _: B) {}"),
        ("src/a.rs", "pub struct A;"),
        ("src/b.rs", "use super::A; pub struct B(A);"),
    ];
    assert_eq!(circles(&files), [""; 0]);
}

#[test]
fn folders_are_a_circle_where_no_file_is() {
    let files = [
        ("src/lib.rs", "mod inn; mod out;"),
        ("src/inn.rs", "pub mod x; pub mod y;"),
        ("src/inn/x.rs", "use crate::out::p::P; pub struct X(P);"),
        ("src/inn/y.rs", "pub struct Y;"),
        ("src/out.rs", "pub mod p; pub mod q;"),
        ("src/out/p.rs", "pub struct P;"),
        ("src/out/q.rs", "use crate::inn::y::Y; pub struct Q(Y);"),
    ];
    let found = find(&made_up(&files));
    assert_eq!(found.len(), 1);
    let imports = ["src/inn/x.rs:1 -> src/out/p.rs", "src/out/q.rs:1 -> src/inn/y.rs"];
    assert_eq!(found[0].to_string(), format!("a circle of crate::inn, crate::out:\n    {}\n    {}", imports[0], imports[1]));
}

#[test]
fn an_allowed_circle_is_allowed_as_long_as_it_is_there() {
    const HERE: &[Allowed] = &[Allowed { folders: &["src/a"], reason: "it moves" }];
    let within = [("src/lib.rs", "mod a;"), ("src/a.rs", "mod b; use b::B; pub struct A;"), ("src/a/b.rs", "use super::A; pub struct B;")];
    assert_eq!(judge(&find(&made_up(&within)), HERE), [""; 0]);
    assert_eq!(judge(&[], HERE), ["no circle in src/a is left (it moves): delete its entry"]);
    let b =
        [("src/lib.rs", "mod a; mod b;"), ("src/a.rs", "use crate::b::B; pub struct A;"), ("src/b.rs", "use crate::a::A; pub struct B;")];
    assert_eq!(judge(&find(&made_up(&b)), HERE).len(), 2, "one that leaves the folder, and an entry for none");
}

const DOCUMENT: &str = "
| folder | what it is | may depend on |
|---|---|---|
| `wire/` | bytes | nothing of ours |
| `games/a`, `games/b` | games | wire |
| `server/` | it | all above |
| `tools/` | commands | \u{2014} |

Inside `server/src`:

```
clock log     leaves
http/         requests
              of strangers
matches/      worlds
```
";

fn package(folder: &str, needs: &[&str]) -> Package {
    Package { folder: folder.to_string(), needs: needs.iter().map(|need| (*need).to_string()).collect() }
}

#[test]
fn the_table_is_compared_with_the_workspace() {
    let rows: Vec<Row> = rows(DOCUMENT);
    assert_eq!(rows.len(), 4);
    let check = |packages: &[Package]| check_packages(&rows, packages, |folder| folder != "tools");
    let gone = "the map names tools/, which is not there";
    let fine =
        [package("wire", &[]), package("games/a", &["wire"]), package("server", &["games/a", "wire"]), package("wire/macros", &["wire"])];
    assert_eq!(check(&fine), [gone]);
    assert_eq!(check(&[package("wire", &["games/a"])]), [gone, "wire/ depends on games/a/, and may depend on: nothing of ours"]);
    assert_eq!(check(&[package("games/b", &["server"])]).len(), 2);
    assert_eq!(check(&[package("bench", &[])]), [gone, "the map does not name bench/"]);
}

#[test]
fn the_order_is_compared_with_the_modules_and_their_imports() {
    let order: Vec<Line> = order(DOCUMENT, "Inside `server/src`");
    assert_eq!(order, [vec!["clock", "log"], vec!["http/"], vec!["matches/"]]);
    let check = |root: &str, clock: &str, page: &str| {
        let files = [
            ("src/lib.rs", root),
            ("src/clock.rs", clock),
            ("src/log.rs", "pub struct Log;"),
            ("src/http.rs", "pub mod page;"),
            ("src/http/page.rs", page),
            ("src/matches.rs", "mod seat; use crate::http::page::Page;"),
            ("src/matches/seat.rs", "pub struct Seat;"),
            ("src/other.rs", ""),
        ];
        check_order(&order, &made_up(&files))
    };
    let (root, clock, page) = ("mod clock; mod log; mod http; mod matches;", "pub struct Clock;", "use crate::log::Log; pub struct Page;");
    assert_eq!(check(root, clock, page), [""; 0]);
    let against = check(root, clock, "use crate::matches::seat::Seat; pub struct Page;");
    let rule = "may import what the order has above it, and";
    assert_eq!(against, [format!("src/http/page.rs:1 -> src/matches/seat.rs: http {rule} matches is not")]);
    let beside = check(root, "use crate::log::Log;", page);
    assert_eq!(beside, [format!("src/clock.rs:1 -> src/log.rs: clock {rule} log is not")]);
    assert_eq!(check("mod clock; mod log; mod http; mod matches; mod other;", clock, page), ["the order does not name other"]);
    assert_eq!(check("mod clock; mod http; mod matches;", clock, "pub struct Page;"), ["the order names log, which is not there"]);
}
