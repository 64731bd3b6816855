"""What notebooks and scripts have beyond the command line: training with a bar, and runs as tables and charts.

Painting from Python is `LoadedPainter.paint`.
"""
