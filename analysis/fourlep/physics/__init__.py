"""Events to cutflows, candidates and histograms: pure functions on arrays, no file, no clock."""
