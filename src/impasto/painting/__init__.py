"""Paints picture files with a trained painter; needs a checkpoint's weights and recipe, nothing of the engine."""
