//! Where a server that was not told keeps its matches.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder for the server on `port`: in systemd's, in the user's for such things, or in their
/// home. `None` if there is none of them, or if nobody would find the server again, as its port
/// is any free one.
pub fn default_dir(port: u16, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let users = || set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    let parent = set("STATE_DIRECTORY").or_else(|| Some(users()?.join("tickwire")))?;
    (port != 0).then(|| parent.join(format!("port-{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemds_folder_comes_first_then_the_users() {
        let all = [("STATE_DIRECTORY", "/var/lib/tickwire"), ("XDG_STATE_HOME", "/s"), ("HOME", "/u/ada")];
        let dir = |from: usize, port| {
            let find = |name: &str| all.iter().skip(from).find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
            default_dir(port, find).map(|dir| dir.display().to_string())
        };
        assert_eq!(dir(0, 8080).as_deref(), Some("/var/lib/tickwire/port-8080"));
        assert_eq!(dir(1, 8080).as_deref(), Some("/s/tickwire/port-8080"));
        assert_eq!(dir(2, 9000).as_deref(), Some("/u/ada/.local/state/tickwire/port-9000"));
        assert_eq!((dir(3, 8080), dir(0, 0)), (None, None));
    }
}
