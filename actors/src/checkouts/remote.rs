//! Where commits are fetched from.

use super::Protocol;

/// The address of a remote, by an allowed protocol.
#[derive(Debug)]
pub(super) struct Remote {
    address: String,
    protocol: Protocol,
}

impl Remote {
    /// Takes an address as the project's repository names it.
    ///
    /// # Errors
    /// Says why nothing is fetched from there; never shows a credential in it.
    pub(super) fn parse(address: &str, allowed: &[Protocol]) -> Result<Self, String> {
        if address.starts_with('-') || address.contains("::") || address.chars().any(char::is_control) {
            return Err("the address of its remote is none that is fetched from".to_owned());
        }
        let protocol = match address.split_once("://") {
            Some(("https", _)) => Protocol::Https,
            Some(("ssh", _)) => Protocol::Ssh,
            Some(("file", _)) => Protocol::File,
            Some((other, _)) => return Err(format!("nothing is fetched by the protocol `{other}` of its remote")),
            None if address.starts_with('/') => Protocol::File,
            None if is_scp_like(address) => Protocol::Ssh,
            None => return Err("the address of its remote is none that is fetched from".to_owned()),
        };
        if !allowed.contains(&protocol) {
            return Err(format!(
                "the protocol `{}` of its remote is not among `git_protocols` of the configuration",
                protocol.name()
            ));
        }
        Ok(Self {
            address: address.to_owned(),
            protocol,
        })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the settings that let git use this protocol and no other.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let allow = (format!("protocol.{}.allow", self.protocol.name()), "always".to_owned());
        // A constant of ours; nobody is there to answer what ssh might ask.
        let ssh = ("core.sshCommand".to_owned(), "ssh -o BatchMode=yes".to_owned());
        match self.protocol {
            Protocol::Ssh => vec![allow, ssh],
            Protocol::Https | Protocol::File => vec![allow],
        }
    }

    /// Takes the address out of what git says, which may have a credential in it.
    pub(super) fn masked(&self, text: &str) -> String {
        let without = text.replace(&self.address, "the remote");
        let credential = self
            .address
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('@'));
        match credential.filter(|(credential, _)| !credential.is_empty() && !credential.contains('/')) {
            Some((credential, _)) => without.replace(credential, "***"),
            None => without,
        }
    }
}

impl Protocol {
    /// Returns the name as git and the configuration have it.
    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }
}

/// Whether an address is like `git@host:path`.
fn is_scp_like(address: &str) -> bool {
    let host = address.split_once(':').map(|(host, _)| host);
    host.is_some_and(|host| !host.is_empty() && !host.contains('/') && !host.contains("@-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_protocols_are_taken() {
        let usual = [Protocol::Https, Protocol::Ssh];
        for good in ["https://host/a.git", "ssh://git@host/a", "git@host:a/b.git", "host:a"] {
            assert!(Remote::parse(good, &usual).is_ok(), "{good}");
        }
        for bad in [
            "file:///srv/a",
            "/srv/a",
            "../a",
            "http://host/a",
            "git://host/a",
            "ext::sh -c x",
            "-oProxyCommand=x:y",
            "git@-oProxyCommand=x:y",
            "https://host/\na",
            "",
        ] {
            assert!(Remote::parse(bad, &usual).is_err(), "{bad}");
        }
        assert!(Remote::parse("/srv/a", &[Protocol::File]).is_ok());
    }

    #[test]
    fn a_credential_is_not_repeated() {
        let remote = Remote::parse("https://me:canary@host/a.git", &[Protocol::Https]).unwrap();
        let said = "unable to access 'https://me:canary@host/a.git/': me:canary is wrong";
        assert_eq!(remote.masked(said), "unable to access 'the remote/': *** is wrong");
    }
}
