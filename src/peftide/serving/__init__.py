"""A predictor → a web page on which people ask it."""
