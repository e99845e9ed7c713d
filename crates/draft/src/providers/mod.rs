//! Providers: who can be asked. One file each.

pub mod bedrock;
pub mod openai;

pub use bedrock::Bedrock;
pub use openai::OpenAi;

use crate::{Cause, Error, Message};

/// The conversation for a model without tools: calls and their answers as ordinary words.
fn as_words(messages: &[Message]) -> Vec<(bool, String)> {
    let words = |message: &Message| match message {
        Message::User { text, .. } => (true, text.clone()),
        Message::Assistant { text, call: None } => (false, text.clone()),
        Message::Assistant { text, call: Some(call) } => {
            let yaml = crate::yaml::from_json(&call.input);
            (false, format!("{text}\n```yaml\n{yaml}```").trim_start().to_owned())
        }
    };
    messages.iter().map(words).collect()
}

/// A chain of errors in one line, without repetitions.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = error.source();
    }
    text
}

/// A runtime on the thread that asks; several threads may ask at a time.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Cause::Unreachable, format!("no connection can be made: {error}")))
}

/// Refuses what is no address, and one to which a key would travel for everyone to read.
fn check_address(address: &str, has_key: bool) -> Result<(), Error> {
    let refuse = |words: String| Err(Error::new(Cause::Setup, words));
    let Some((scheme, rest)) = address.split_once("://") else {
        return refuse(format!("`{}` is no address", without_password(address)))
            .map_err(|error| error.help("it begins with https://, or with http:// on this machine"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_here =
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match scheme {
        "http" | "https" if name.is_empty() => refuse(format!("`{address}` names no host")),
        "https" => Ok(()),
        "http" if is_here || !has_key => Ok(()),
        "http" => refuse(format!("the key would travel to {name} for everyone to read"))
            .map_err(|error| error.help("use https:// for an endpoint on another machine")),
        _ => refuse(format!("`{scheme}` is not spoken here"))
            .map_err(|error| error.help("it begins with https://, or with http:// on this machine")),
    }
}

/// An address without user and password, for messages and recordings.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

fn timed_out(place: &str, timeout: std::time::Duration) -> Error {
    let seconds = timeout.as_secs_f64();
    Error::new(Cause::TimedOut, format!("{place} did not answer in full within {seconds} s"))
        .help("give it more time with `--timeout SECONDS`, or choose a quicker model with `--model`")
}

fn unreachable(place: &str, why: &str) -> Error {
    Error::new(Cause::Unreachable, format!("{place} cannot be reached: {why}"))
        .help("check the network, the proxy, and the region or address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_travel_in_the_clear() {
        for good in [
            "https://models.example.com/v1",
            "http://localhost:11434/v1",
            "http://127.0.0.1:1",
            "http://[::1]:8/v1",
        ] {
            assert_eq!(check_address(good, true), Ok(()), "{good}");
        }
        assert_eq!(check_address("http://models.example.com/v1", false), Ok(()));
        for bad in [
            "http://models.example.com/v1",
            "http://localhost.example.com",
            "localhost:11434",
            "ftp://localhost",
            "http://",
            "http://127.0.0.1@evil.example.com/",
        ] {
            assert_eq!(check_address(bad, true).map_err(|error| error.cause), Err(Cause::Setup), "{bad}");
        }
    }

    #[test]
    fn addresses_are_shown_without_passwords() {
        assert_eq!(without_password("https://me:secret@host:1/v1?key=2"), "https://host:1/v1");
        assert_eq!(without_password("http://host"), "http://host");
    }
}
