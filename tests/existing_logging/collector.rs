//! An endpoint that speaks OTLP over gRPC.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::{
    logs::v1::{
        ExportLogsServiceRequest, ExportLogsServiceResponse,
        logs_service_server::{LogsService, LogsServiceServer},
    },
    trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
};
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{
    Request, Response, Status,
    transport::{
        Server,
        server::{Router, TcpIncoming},
    },
};

type Exported<T> = (SocketAddr, mpsc::UnboundedReceiver<T>);

/// What arrives there.
struct Collector<T>(mpsc::UnboundedSender<T>);

impl<T> Collector<T> {
    fn take(&self, request: Request<T>) -> Result<(), Status> {
        let taken = self.0.send(request.into_inner());
        taken.map_err(|_| Status::unavailable("the test is over"))
    }
}

#[tonic::async_trait]
impl LogsService for Collector<ExportLogsServiceRequest> {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.take(request)?;
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl TraceService for Collector<ExportTraceServiceRequest> {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.take(request)?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Takes logs from now on.
pub(crate) async fn logs() -> Exported<ExportLogsServiceRequest> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let service = LogsServiceServer::new(Collector(sender));
    (
        serve(Server::builder().add_service(service)).await,
        receiver,
    )
}

/// Takes spans from now on.
pub(crate) async fn spans() -> Exported<ExportTraceServiceRequest> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let service = TraceServiceServer::new(Collector(sender));
    (
        serve(Server::builder().add_service(service)).await,
        receiver,
    )
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(router.serve_with_incoming(TcpIncoming::from(listener)));
    address
}
