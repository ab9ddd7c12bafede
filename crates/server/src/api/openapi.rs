//! The OpenAPI 3.1 document, made from the table.
//!
//! Specification: <https://spec.openapis.org/oas/v3.1.1.html>

use serde_json::{Map, Value, json};

use super::schemas::schemas;
use super::table::{Kind, PROBLEMS, Parameter, Place, ROUTES, Route};

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn parameter(parameter: &Parameter) -> Value {
    let place = match parameter.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    };
    let schema = match parameter.kind {
        Kind::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Text(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
    };
    let mut shown = json!({
        "name": parameter.name,
        "in": place,
        "required": parameter.required,
        "description": parameter.what,
        "schema": schema,
    });
    if let (false, Kind::Number(..)) = (parameter.example.is_empty(), parameter.kind) {
        shown["example"] = json!(parameter.example.parse::<u64>().unwrap_or_default());
    } else if !parameter.example.is_empty() {
        shown["example"] = json!(parameter.example);
    }
    shown
}

fn answers(route: &Route) -> Value {
    let mut answers = Map::new();
    let content = match (route.answer.schema, route.answer.media) {
        ("", media) => json!({ media: { "schema": { "type": "string" } } }),
        (name, media) => json!({ media: { "schema": schema(name) } }),
    };
    let what = json!({ "description": route.answer.what, "content": content });
    answers.insert(route.answer.status.to_string(), what);
    for status in PROBLEMS.iter().chain(route.problems) {
        answers.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    Value::Object(answers)
}

fn operation(route: &Route) -> Value {
    let parameters: Vec<Value> = route.parameters.iter().map(parameter).collect();
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.what,
        "parameters": parameters,
        "responses": answers(route),
    });
    let scopes: Vec<&str> = route.scope.iter().map(|scope| scope.name()).collect();
    operation["security"] = match (route.token, scopes.is_empty()) {
        (true, _) => json!([{ "token": scopes }]),
        // Without a token as far as guests may.
        (false, false) => json!([{}, { "token": scopes }]),
        (false, true) => json!([{}, { "token": [] }]),
    };
    if let Some(carries) = &route.carries {
        let content: Map<String, Value> = carries
            .types
            .iter()
            .map(|media| {
                // Of what is anything at all, there is nothing to be said.
                let schema = if carries.schema.is_empty() { json!({}) } else { schema(carries.schema) };
                ((*media).to_owned(), json!({ "schema": schema }))
            })
            .collect();
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if !route.example.is_empty() {
        operation["x-codeSamples"] = json!([{ "lang": "Shell", "label": "curl", "source": route.example }]);
    }
    operation
}

/// The document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "chinwag",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Reading and saying things in a chinwag chat. Without a token you read what a guest could; \
                            TOKEN ADD makes a token when you are logged in. Errors are problems (RFC 9457).",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {
                "Problem": {
                    "description": "Why not, and what to do.",
                    "headers": {
                        "Retry-After": {
                            "description": "Seconds after which it may be tried again.",
                            "schema": { "type": "integer" },
                        },
                    },
                    "content": { "application/problem+json": { "schema": schema("Problem") } },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "TOKEN ADD makes one." },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference of the document, wherever it is.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let (document, mut found) = (document(), Vec::new());
        references(&document, &mut found);
        assert!(found.len() > 20);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_row_of_the_table_is_in_it() {
        let document = document();
        for route in ROUTES {
            let operation = &document["paths"][route.path][route.method.to_ascii_lowercase()];
            assert_eq!(operation["operationId"], route.id);
            assert!(!operation["responses"][route.answer.status.to_string()].is_null());
        }
    }
}
