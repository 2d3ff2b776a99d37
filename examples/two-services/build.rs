//! Writes the client and the server of the gRPC service `Stock`, without a `.proto` file: that
//! would need `protoc`.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let reserve = Method::builder()
        .name("reserve")
        .route_name("Reserve")
        .input_type("crate::Item")
        .output_type("crate::Reserved")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let stock = Service::builder()
        .package("shop")
        .name("Stock")
        .method(reserve)
        .build();
    Builder::new().compile(&[stock]);
}
