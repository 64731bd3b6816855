"""What is done to collections before learning: fetched, checked, mended, made and packed."""
