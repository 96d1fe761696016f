"""Join passes as relational expressions on integer amounts. The only place that knows DuckDB."""
