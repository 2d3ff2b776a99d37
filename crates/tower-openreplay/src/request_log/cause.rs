use std::{any::Any, error::Error, io};

type Cast = fn(&dyn Any) -> Option<&(dyn Error + 'static)>;

/// The error types whose causes are logged.
///
/// A service's error type is only required to implement `Display`, so its causes are found by
/// downcasting.
#[derive(Clone, Debug)]
pub(super) struct Causes {
    casts: Vec<Cast>,
}

impl Default for Causes {
    fn default() -> Self {
        Self {
            casts: vec![
                boxed_send_sync,
                boxed,
                of_type::<io::Error>,
                #[cfg(feature = "axum")]
                of_axum,
            ],
        }
    }
}

impl Causes {
    pub(super) fn add<E: Error + 'static>(&mut self) {
        self.casts.push(of_type::<E>);
    }

    /// Returns the value as an error, if its type is one of these.
    pub(super) fn find<'a>(&self, value: &'a dyn Any) -> Option<&'a (dyn Error + 'static)> {
        self.casts.iter().find_map(|cast| cast(value))
    }
}

fn of_type<E: Error + 'static>(value: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let error: &E = value.downcast_ref()?;
    Some(error)
}

fn boxed(value: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let error = value.downcast_ref::<Box<dyn Error>>()?;
    Some(&**error)
}

fn boxed_send_sync(value: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let error = value.downcast_ref::<Box<dyn Error + Send + Sync>>()?;
    Some(&**error)
}

/// Unwraps an `axum::Error`, which displays its inner error, so that the text is not logged twice.
#[cfg(feature = "axum")]
fn of_axum(value: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let mut error: &(dyn Error + 'static) = value.downcast_ref::<axum::Error>()?;
    while error.is::<axum::Error>()
        && let Some(wrapped) = error.source()
    {
        error = wrapped;
    }
    Some(error)
}
