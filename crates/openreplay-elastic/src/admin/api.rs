//! JSON requests and responses, where an error status is an error.

use bytes::Bytes;
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::transport::client::{Client, Response};
use crate::transport::error::Error;

pub(crate) async fn get<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T, Error> {
    client
        .request(Method::GET, path, Bytes::new())
        .await?
        .ok()?
        .json()
}

pub(crate) async fn send(
    client: &Client,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<Response, Error> {
    client
        .request(method, path, Bytes::from(body.to_string()))
        .await?
        .ok()
}

pub(crate) async fn delete(client: &Client, path: &str) -> Result<Response, Error> {
    client
        .request(Method::DELETE, path, Bytes::new())
        .await?
        .ok()
}
