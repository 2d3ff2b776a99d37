//! Delivers log records to Elasticsearch the way OpenReplay reads them.
