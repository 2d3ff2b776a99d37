//! A Lambda function behind an API gateway is a Tower service as any other.

use lambda_http::{
    Adapter, Body, Context, Error, LambdaEvent, Request, Response,
    aws_lambda_events::apigw::ApiGatewayV2httpResponse,
    request::LambdaRequest,
    service_fn,
    tower::{Layer as _, ServiceExt as _},
};
use serde_json::json;
use tower_openreplay::{
    SessionLayer,
    openreplay_session::{SessionId, current},
};

use crate::ID;

async fn handler(request: Request) -> Result<Response<String>, Error> {
    let extension = request.extensions().get::<SessionId>();
    Ok(Response::new(format!("{:?} {:?}", current(), extension)))
}

#[tokio::test]
async fn a_function_is_in_the_session_of_the_gateways_event() {
    // as `lambda_http::run(service)` calls it
    let service = SessionLayer::new()
        .with_extension()
        .layer(service_fn(handler));
    let _run = || lambda_http::run(service.clone());

    let event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": { "openreplaysession.id": ID.to_string(), "host": "stock.example" },
        "requestContext": { "http": { "method": "GET", "path": "/" } },
        "isBase64Encoded": false,
    });
    let request: LambdaRequest = serde_json::from_value(event).unwrap();
    let response = Adapter::from(service)
        .oneshot(LambdaEvent::new(request, Context::default()))
        .await
        .unwrap();
    let response: ApiGatewayV2httpResponse =
        serde_json::from_value(serde_json::to_value(response).unwrap()).unwrap();
    let session = format!("{:?}", SessionId::from(ID));
    let expected = format!("Some({session}) Some({session})");
    assert_eq!(response.body, Some(Body::Text(expected)));
}
