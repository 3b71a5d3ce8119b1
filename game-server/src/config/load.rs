//! Reads the settings, layer over layer, and says in one line what is wrong with them.
//!
//! Invariant: a key that the config does not have is an error wherever it comes from, also in a
//! `TICKWIRE_` variable.

use std::path::Path;

use figment::error::Kind;
use figment::providers::Serialized;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::Config;
use super::error::ConfigError;
use super::flags::Flags;
use super::value::parse_value;

/// Environment variables that begin like this are settings; two underscores descend into a table.
pub const ENV_PREFIX: &str = "TICKWIRE_";

impl Config {
    /// The settings from defaults, the file named by `flags`, the environment and `flags`, each
    /// overriding what is before it.
    ///
    /// ```
    /// use tickwire_server::config::{Config, flags::Flags};
    ///
    /// let set = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
    /// let config = Config::load(&Flags::default(), set("TICKWIRE_MATCHES__TICK_RATE", "30"))?;
    /// assert_eq!(config.matches.tick_rate, 30);
    /// assert!(Config::load(&Flags::default(), set("TICKWIRE_PROT", "80")).is_err(), "no such setting");
    /// # Ok::<(), tickwire_server::config::ConfigError>(())
    /// ```
    pub fn load(flags: &Flags, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut layers = Vec::new();
        if let Some(file) = &flags.config {
            layers.push(file_layer(file)?);
        }
        layers.push(environment_layer(environment));
        layers.push(Layer::new("the command line", flags.settings()));

        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        for layer in &layers {
            figment = figment.merge(layer);
        }
        let config: Self = figment.extract().map_err(|error| explain(error, &layers))?;
        config.check()?;
        Ok(config)
    }

    /// The settings as TOML that [`Config::load`] reads back.
    pub fn to_toml(&self) -> String {
        // A struct of numbers, texts and tables is always TOML.
        toml::to_string(self).unwrap_or_default()
    }
}

/// The settings of one source.
#[derive(Clone)]
struct Layer {
    name: String,
    dict: Dict,
}

impl Layer {
    fn new(name: impl Into<String>, settings: Vec<(String, Value)>) -> Self {
        let mut dict = Dict::new();
        for (key, value) in settings {
            insert(&mut dict, &key, value);
        }
        Self { name: name.into(), dict }
    }

    /// Whether this layer sets `key` inside the tables of `path`.
    fn sets(&self, path: &[String], key: &str) -> bool {
        let mut dict = &self.dict;
        for table in path {
            match dict.get(table) {
                Some(Value::Dict(_, inner)) => dict = inner,
                _ => return false,
            }
        }
        dict.contains_key(key)
    }
}

impl Provider for &Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}

/// Sets `a.b.c` to `value` in tables within tables.
fn insert(dict: &mut Dict, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            dict.insert(key.to_owned(), value);
        }
        Some((table, rest)) => {
            let entry = dict.entry(table.to_owned()).or_insert_with(|| Value::from(Dict::new()));
            if !matches!(entry, Value::Dict(..)) {
                *entry = Value::from(Dict::new());
            }
            if let Value::Dict(_, inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

fn file_layer(file: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|error| ConfigError::Unreadable { file: file.to_owned(), error })?;
    let not_toml = |line: usize, reason: String| ConfigError::NotToml { file: file.to_owned(), line, reason };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        not_toml(before.lines().count().max(1), error.message().lines().next().unwrap_or_default().to_owned())
    })?;
    match Value::serialize(&table) {
        Ok(Value::Dict(_, dict)) => Ok(Layer { name: file.display().to_string(), dict }),
        Ok(_) => Err(not_toml(1, "expected keys and tables".to_owned())),
        Err(error) => Err(not_toml(1, error.kind.to_string())),
    }
}

fn environment_layer(environment: impl IntoIterator<Item = (String, String)>) -> Layer {
    let settings = environment.into_iter().filter_map(|(variable, value)| {
        let key = variable.strip_prefix(ENV_PREFIX)?;
        Some((key.to_ascii_lowercase().replace("__", "."), parse_value(&value)))
    });
    Layer::new("the environment (TICKWIRE_...)", settings.collect())
}

/// The first of figment's errors, with its key and where that was set.
fn explain(error: figment::Error, layers: &[Layer]) -> ConfigError {
    let layer_of = |path: &[String], key: &str| {
        let layer = layers.iter().rev().find(|layer| layer.sets(path, key));
        layer.map_or_else(|| "the settings".to_owned(), |layer| layer.name.clone())
    };
    let Some(error) = error.into_iter().next() else {
        return ConfigError::Bad { key: String::new(), reason: "not understood".to_owned() };
    };
    let mut path = error.path;
    if let Kind::UnknownField(field, _) = error.kind {
        if path.last() == Some(&field) {
            path.pop();
        }
        let layer = layer_of(&path, &field);
        path.push(field);
        return ConfigError::Unknown { key: path.join("."), layer };
    }
    let layer = path.split_last().map_or_else(|| "the settings".to_owned(), |(key, tables)| layer_of(tables, key));
    ConfigError::Bad { key: path.join("."), reason: format!("{} in {layer}", error.kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TransportChoice;

    fn env(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn with_file(text: &str, flags: &Flags, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("tickwire.toml");
        std::fs::write(&file, text).expect("a config file");
        Config::load(&Flags { config: Some(file), ..flags.clone() }, env(environment))
    }

    fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
        let message = with_file(text, &Flags::default(), environment).expect_err("refused").to_string();
        assert!(!message.contains('\n'), "one line: {message}");
        message
    }

    #[test]
    fn later_layers_override_earlier_ones_key_by_key() {
        let file = "port = 1\nworkers = 1\ndrain_seconds = 1\n[connections]\ntotal = 1000\nper_address = 7\n";
        let flags = Flags { port: Some(3), ..Flags::default() };
        let environment = [("TICKWIRE_PORT", "2"), ("TICKWIRE_WORKERS", "2"), ("TICKWIRE_CONNECTIONS__TOTAL", "2000"), ("PATH", "/bin")];
        let config = with_file(file, &flags, &environment).expect("good settings");
        assert_eq!((config.port, config.workers, config.drain_seconds), (3, 2, 1), "flag, environment, file");
        assert_eq!((config.connections.total, config.connections.per_address), (2000, 7), "tables merge key by key");
        assert_eq!(config.connections.unauthenticated, Config::default().connections.unauthenticated);
    }

    #[test]
    fn a_transport_is_chosen_by_its_name_in_every_layer() {
        let portable = Some(crate::config::TransportKind::Portable);
        let of =
            |file: &str, flags: &Flags, environment: &[(&str, &str)]| with_file(file, flags, environment).expect("good").transport.kind();
        assert_eq!(of("transport = \"portable\"", &Flags::default(), &[]), portable);
        assert_eq!(of("", &Flags::default(), &[("TICKWIRE_TRANSPORT", "portable")]), portable);
        let flags = Flags { transport: Some(TransportChoice::Auto), ..Flags::default() };
        assert_eq!(of("transport = \"portable\"", &flags, &[]), Some(crate::config::TransportKind::BEST));
        assert!(refusal("transport = \"carrier pigeon\"", &[]).starts_with("bad setting `transport`: "));
    }

    #[test]
    fn an_unknown_key_is_named_wherever_it_is() {
        assert!(refusal("prot = 1", &[]).starts_with("unknown setting `prot` in "));
        assert!(refusal("[session]\nburst = 1", &[]).starts_with("unknown setting `session.burst` in "));
        assert!(refusal("[rate]\nx = 1", &[]).starts_with("unknown setting `rate` in "));
        assert_eq!(refusal("", &[("TICKWIRE_PROT", "1")]), "unknown setting `prot` in the environment (TICKWIRE_...)");
        let flags = Flags { set: vec![("matches.max".into(), "1".into())], ..Flags::default() };
        let message = Config::load(&flags, []).expect_err("refused").to_string();
        assert_eq!(message, "unknown setting `matches.max` in the command line");
    }

    #[test]
    fn bad_values_and_bad_files_are_explained_in_one_line() {
        assert!(refusal("port = \"high\"", &[]).starts_with("bad setting `port`: "));
        assert!(refusal("", &[("TICKWIRE_RATES__HANDSHAKES_PER_MINUTE", "many")]).contains("`rates.handshakes_per_minute`"));
        assert!(refusal("port = 70000", &[]).contains("`port`"));
        assert!(refusal("port = 1\nworkers =", &[]).contains("line 2"));
        let missing = Flags { config: Some("/no/such/file.toml".into()), ..Flags::default() };
        assert!(Config::load(&missing, []).expect_err("refused").to_string().starts_with("cannot read the config file /no/such"));
    }

    #[test]
    fn what_is_printed_reads_back() {
        let config = Config {
            port: 9,
            public_ws_url: Some("wss://play.example/ws".into()),
            allowed_origins: vec!["https://play.example".into()],
            ..Config::default()
        };
        assert_eq!(with_file(&config.to_toml(), &Flags::default(), &[]).expect("good settings"), config);
        assert_eq!(with_file(&Config::default().to_toml(), &Flags::default(), &[]).expect("good settings"), Config::default());
    }

    #[test]
    fn lists_come_from_the_environment_too() {
        let origins = [("TICKWIRE_ALLOWED_ORIGINS", "[\"https://a.example\", \"https://b.example:444\"]")];
        let config = Config::load(&Flags::default(), env(&origins)).expect("good settings");
        assert_eq!(config.allowed_origins, ["https://a.example", "https://b.example:444"]);
    }
}
