"""A predictor and rows of a table → what in each protein the answers depend on."""
