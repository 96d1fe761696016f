"""What reconciliation knows: items on two sides, rules, matches with certificates, differences."""
