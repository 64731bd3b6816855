"""Pages that show results, for anyone with a browser. Each is one HTML file that works offline.

page.py              the Jinja2 environment; templates/ has all HTML and SVG, assets/ all style sheets and scripts
report_page.py, comparison_page.py, doctor_page.py, memorisation_page.py, quiz_page.py, table_page.py    the pages
line_chart.py, runs_chart.py, bar_chart.py, mirrored_histogram.py    charts; axes.py and curves.py are their parts
run_reader.py        reads run folders; metric_values.py their metrics
distance_map.py      the only picture that is not a page: distances between classes
"""
