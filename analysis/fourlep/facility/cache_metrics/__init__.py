"""Statistics of the caches: from XCache's monitoring packets to Prometheus metrics."""
