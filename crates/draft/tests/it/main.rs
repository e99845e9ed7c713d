//! Providers, recordings and the dialogue, against a service that speaks the real forms on the wire.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

mod batch;
mod bedrock;
mod dialogue;
mod openai;
mod server;

use lookalike_draft::{Message, Request, Tool};
use serde_json::json;

/// A request with a tool.
fn request() -> Request {
    Request {
        model: "m".into(),
        system: "Be brief.".into(),
        messages: vec![Message::User { text: "Orders, please.".into(), answers: None }],
        tool: Some(Tool {
            name: "write_ruleset".into(),
            about: "Takes the ruleset.".into(),
            schema: json!({"type": "object", "properties": {"lookalike": {"const": 1}}}),
        }),
        max_tokens: 500,
        temperature: None,
    }
}
