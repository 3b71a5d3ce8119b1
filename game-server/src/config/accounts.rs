//! Who may play: guests, and people with an account at the game's identity provider.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::{ConfigError, demand};

/// Longest that `accounts.jwt.leeway_s` may be.
pub(crate) const LEEWAY_S_MAX: u64 = 30;

/// Who may play.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsConfig {
    /// Whether whoever gives a name may play.
    pub guests: bool,
    /// Where players sign in. The page sends them there; absent if the page has its own way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_url: Option<String>,
    /// By address: tokens whose signature is checked. One that was good is known again without.
    pub verifications_per_minute: u32,
    /// Tokens of the game's identity provider.
    pub jwt: JwtConfig,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self { guests: true, sign_in_url: None, verifications_per_minute: 600, jwt: JwtConfig::default() }
    }
}

/// Tokens of the game's identity provider (JWT, RFC 7519). There are none unless `keys_file` is
/// set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JwtConfig {
    /// How tokens are signed. What a token says of that changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<JwtAlgorithm>,
    /// What signatures are checked with: a JWKS, public keys as PEM, or for HS256 a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_file: Option<PathBuf>,
    /// What `iss` must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What `aud` must be, or contain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Seconds that the provider's clock may be off.
    pub leeway_s: u64,
    /// The claim that says how others see the player.
    pub name_claim: String,
    /// The claim that says how good the player is, for the queue; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating_claim: Option<String>,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self {
            algorithm: None,
            keys_file: None,
            issuer: None,
            audience: None,
            leeway_s: 10,
            name_claim: "name".to_owned(),
            rating_claim: None,
        }
    }
}

/// How tokens are signed, as RFC 7518 and 8037 name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JwtAlgorithm {
    /// Ed25519.
    EdDSA,
    /// ECDSA on P-256.
    ES256,
    /// RSA, PKCS #1 v1.5.
    RS256,
    /// HMAC with a secret that the provider shares.
    HS256,
}

impl JwtAlgorithm {
    /// As it is set.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::ES256 => "ES256",
            Self::RS256 => "RS256",
            Self::HS256 => "HS256",
        }
    }

    /// Whether a token or a key that names `other` means this one. RFC 9864 has another name for
    /// what RFC 8037 calls `EdDSA` with this curve.
    pub(crate) fn is_called(self, other: &str) -> bool {
        other == self.name() || (self == Self::EdDSA && other == "Ed25519")
    }
}

impl AccountsConfig {
    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let jwt = &self.jwt;
        let is_given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let needed = [
            ("accounts.jwt.keys_file", jwt.keys_file.is_some()),
            ("accounts.jwt.algorithm", jwt.algorithm.is_some()),
            ("accounts.jwt.issuer", is_given(&jwt.issuer)),
            ("accounts.jwt.audience", is_given(&jwt.audience)),
        ];
        let is_wanted = needed.iter().any(|(_, is_there)| *is_there);
        for (key, is_there) in needed {
            demand(is_there || !is_wanted, key, "is missing: keys_file, algorithm, issuer and audience go together")?;
        }
        demand(self.guests || is_wanted, "accounts.guests", "is off and accounts.jwt is not set: nobody could play")?;
        demand(jwt.leeway_s <= LEEWAY_S_MAX, "accounts.jwt.leeway_s", "must be 30 at most")?;
        demand(!jwt.name_claim.is_empty(), "accounts.jwt.name_claim", "must name a claim, such as name")?;
        let is_claim = jwt.rating_claim.as_ref().is_none_or(|claim| !claim.is_empty());
        demand(is_claim, "accounts.jwt.rating_claim", "must name a claim, or be absent")?;
        demand(self.sign_in_url.is_none() || is_wanted, "accounts.sign_in_url", "leads nowhere: accounts.jwt is not set")?;
        let is_link = self.sign_in_url.as_ref().is_none_or(|url| ["https://", "http://", "/"].iter().any(|start| url.starts_with(start)));
        demand(is_link, "accounts.sign_in_url", "must begin with https://, http:// or /")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> AccountsConfig {
        AccountsConfig {
            jwt: JwtConfig {
                algorithm: Some(JwtAlgorithm::EdDSA),
                keys_file: Some("keys.pem".into()),
                issuer: Some("https://id.example".into()),
                audience: Some("tickwire".into()),
                ..JwtConfig::default()
            },
            ..AccountsConfig::default()
        }
    }

    fn refused(change: impl FnOnce(&mut AccountsConfig)) -> String {
        let mut config = whole();
        change(&mut config);
        config.check().expect_err("refused").to_string()
    }

    #[test]
    fn what_cannot_work_is_named() {
        assert!(whole().check().is_ok() && AccountsConfig::default().check().is_ok());
        assert!(AccountsConfig { guests: false, ..whole() }.check().is_ok());
        let nobody = AccountsConfig { guests: false, ..AccountsConfig::default() };
        assert!(nobody.check().expect_err("refused").to_string().contains("nobody could play"));
        let nowhere = AccountsConfig { sign_in_url: Some("/login".into()), ..AccountsConfig::default() };
        assert!(nowhere.check().expect_err("refused").to_string().contains("accounts.sign_in_url"));
        assert!(refused(|config| config.jwt.algorithm = None).contains("accounts.jwt.algorithm"));
        assert!(refused(|config| config.jwt.keys_file = None).contains("accounts.jwt.keys_file"));
        assert!(refused(|config| config.jwt.issuer = Some(String::new())).contains("accounts.jwt.issuer"));
        assert!(refused(|config| config.jwt.audience = None).contains("accounts.jwt.audience"));
        assert!(refused(|config| config.jwt.leeway_s = 31).contains("accounts.jwt.leeway_s"));
        assert!(refused(|config| config.jwt.name_claim.clear()).contains("accounts.jwt.name_claim"));
        assert!(refused(|config| config.sign_in_url = Some("javascript:alert(1)".into())).contains("accounts.sign_in_url"));
    }

    #[test]
    fn an_algorithm_is_called_in_settings_as_in_tokens() {
        for algorithm in [JwtAlgorithm::EdDSA, JwtAlgorithm::ES256, JwtAlgorithm::RS256, JwtAlgorithm::HS256] {
            assert_eq!(serde_json::to_value(algorithm).expect("JSON"), algorithm.name());
        }
    }
}
