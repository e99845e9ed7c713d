//! The JSON Schema of rulesets, for editors, the manual and drafting tools: made from the same types that parse.

use lookalike_ruleset::Json;
use lookalike_ruleset::Type;
use lookalike_ruleset::decode::{Decode, Number, Pair, Share, Time, doc_text};
use lookalike_ruleset::document::Document;
use serde_json::{Map, json};

use crate::anomalies::ANOMALIES;
use crate::build::MODIFIERS;
use crate::generator::Kind;

/// The schema of a ruleset that uses these kinds.
pub fn ruleset_schema(kinds: &[&[Kind]]) -> Json {
    let mut schema = Document::schema();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Lookalike ruleset");
    schema["properties"]["lookalike"] = json!({"const": 1, "description": "Version of the language; 1."});
    let column = json!({"$ref": "#/$defs/column"});
    schema["properties"]["vocabulary"]["additionalProperties"] = column.clone();
    schema["properties"]["machines"]["additionalProperties"]["properties"]["dwell"]["additionalProperties"] =
        column.clone();
    let table = &mut schema["properties"]["tables"]["additionalProperties"]["properties"];
    table["columns"]["additionalProperties"] = column.clone();
    table["draws"]["additionalProperties"] = column;
    for form in table["belongs_to"]["additionalProperties"]["anyOf"].as_array_mut().into_iter().flatten() {
        if let Some(per_parent) = form["properties"].get_mut("per_parent") {
            let description = per_parent["description"].take();
            *per_parent = json!({"$ref": "#/$defs/column", "description": description});
        }
    }
    let part = &mut table["subsets"]["properties"]["parts"]["additionalProperties"]["properties"];
    for columns in ["columns", "draws"] {
        part[columns]["additionalProperties"] = json!({"$ref": "#/$defs/column"});
    }
    let anomaly = &mut table["anomalies"]["properties"]["kinds"]["additionalProperties"];
    let mut one_of = Vec::new();
    for kind in ANOMALIES {
        let mut value = (kind.schema)();
        value["description"] = json!(format!("{} {}", kind.summary, doc_text(kind.details)));
        anomaly["properties"][kind.name] = value;
        one_of.push(json!({"required": [kind.name]}));
    }
    anomaly["oneOf"] = json!(one_of);
    anomaly["properties"]["draws"]["additionalProperties"] = json!({"$ref": "#/$defs/column"});
    anomaly["properties"]["severity"] = json!({"$ref": "#/$defs/column"});
    anomaly["properties"]["when"] = json!({"type": ["string", "boolean"], "description": "An expression; only rows for which it holds are eligible."});
    table["require"]["items"] =
        json!({"type": "string", "description": "A SQL condition over columns of the row."});
    schema["$defs"] = json!({"column": column_schema(kinds)});
    allow_params(&mut schema);
    schema
}

fn column_schema(kinds: &[&[Kind]]) -> Json {
    let mut properties = Map::new();
    let mut one_of = Vec::new();
    for kind in kinds.iter().flat_map(|list| list.iter()) {
        let mut value = (kind.schema)();
        nest_columns(&mut value);
        value["description"] = json!(format!("{} {}", kind.summary, doc_text(kind.details)));
        properties.insert(kind.name.to_owned(), value);
        one_of.push(json!({"required": [kind.name]}));
    }
    properties.insert("ref".into(), json!({"type": "string", "description": "Name of a vocabulary entry; keys beside it go over the entry's."}));
    properties.insert(
        "by".into(),
        json!({"type": "string", "description": "Name of the column whose value chooses the case."}),
    );
    let cases = json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/column"}, "description": "A generator for each value; `a | b` stands for either."});
    properties.insert("cases".into(), cases);
    properties.insert("else".into(), json!({"$ref": "#/$defs/column"}));
    one_of.push(json!({"required": ["ref"]}));
    one_of.push(json!({"required": ["by", "cases"]}));
    let limits = json!({"anyOf": [Pair::<Number>::schema(), Pair::<Time>::schema()]});
    for modifier in MODIFIERS {
        let mut value = match modifier.name {
            "about" => String::schema(),
            "type" => Type::schema(),
            "null" => Share::schema(),
            "unique" => bool::schema(),
            "truncate" | "clamp" => limits.clone(),
            "round" => json!({"type": "integer", "minimum": 0, "maximum": 9}),
            _ => json!({"type": ["string", "boolean"]}),
        };
        value["description"] = json!(modifier.summary);
        properties.insert(modifier.name.to_owned(), value);
    }
    json!({"anyOf": [
        {"type": ["string", "number", "boolean", "null"], "description": "A scalar is a constant."},
        {"type": "object", "properties": properties, "additionalProperties": false, "oneOf": one_of},
    ]})
}

/// Where a kind's parameters hold another generator, their schema says only `{}`: an empty schema named `of`.
fn nest_columns(schema: &mut Json) {
    if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut)
        && let Some(of) = properties.get_mut("of")
    {
        let description = of.get("description").cloned();
        *of = json!({"$ref": "#/$defs/column"});
        if let Some(description) = description {
            of["description"] = description;
        }
    }
    if let Some(items) = schema.get_mut("items") {
        nest_columns(items);
    }
}

/// Any scalar may be `{param: name}`.
fn allow_params(schema: &mut Json) {
    const PARAM: &str = "#/$defs/param";
    fn walk(schema: &mut Json) {
        match schema {
            Json::Array(items) => items.iter_mut().for_each(walk),
            Json::Object(object) => {
                for key in ["properties", "$defs"] {
                    if let Some(Json::Object(parts)) = object.get_mut(key) {
                        parts
                            .iter_mut()
                            .filter(|(name, _)| !matches!(name.as_str(), "params" | "lookalike"))
                            .for_each(|(_, part)| walk(part));
                    }
                }
                for key in ["items", "additionalProperties", "anyOf"] {
                    if let Some(part) = object.get_mut(key).filter(|part| !part.is_boolean()) {
                        walk(part);
                    }
                }
                let scalar = ["string", "number", "integer", "boolean"];
                let is_scalar = match object.get("type") {
                    Some(Json::String(ty)) => scalar.contains(&ty.as_str()),
                    _ => false,
                };
                if is_scalar {
                    let description = object.remove("description");
                    let inner = std::mem::take(object);
                    object.insert("anyOf".into(), json!([inner, {"$ref": PARAM}]));
                    if let Some(description) = description {
                        object.insert("description".into(), description);
                    }
                } else if let Some(Json::Array(options)) = object.get_mut("anyOf")
                    && options.iter().any(|o| {
                        o.get("anyOf").is_some_and(|inner| {
                            inner.as_array().is_some_and(|i| i.iter().any(|x| x["$ref"] == PARAM))
                        })
                    })
                {
                    // One reference for the whole union is enough.
                    for option in options.iter_mut() {
                        if let Some(Json::Array(inner)) = option.get_mut("anyOf")
                            && inner.len() == 2
                            && inner[1]["$ref"] == PARAM
                        {
                            *option = inner.swap_remove(0);
                        }
                    }
                    options.push(json!({"$ref": PARAM}));
                }
            }
            _ => {}
        }
    }
    walk(schema);
    schema["$defs"]["param"] = json!({
        "type": "object",
        "properties": {"param": {"type": "string", "description": "Name of a parameter of the ruleset."}},
        "required": ["param"],
        "additionalProperties": false,
        "description": "The value of a parameter.",
    });
}
