"""What to do, as data: stages, conditions, randomisation, blinding, dose plan."""
