//! The guide's programs: each Rust block of it compiles, and runs where it can, as a documentation
//! test.

macro_rules! pages {
    ($($name:ident = $path:literal),* $(,)?) => {
        $(
            #[doc = include_str!(concat!("../../", $path))]
            mod $name {}
        )*
    };
}

pages! {
    errors_and_panics = "docs/errors-and-panics.md",
    hyper = "docs/hyper.md",
    proxies_and_origins = "docs/proxies-and-origins.md",
    quick_start = "docs/quick-start.md",
    readme = "README.md",
    spawns_streams_websockets = "docs/spawns-streams-websockets.md",
    tonic = "docs/tonic.md",
}
