"""Masked-language-model training: a tokenised corpus → rows → masked rows → a backbone."""
