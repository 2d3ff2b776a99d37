//! The OpenReplay session id of the current request, and where it lives.
