"""The dataset doctor: checks every picture of a collection and reports problems with their remedies.

examine.py      one stored picture -> its properties, and whether it is complete
survey.py       all pictures, in threads; notebook.py remembers them for the next check
likeness.py     whether two thumbnails show the same picture; duplicates.py groups them
names.py, strays.py    problematic file names, files that are not read as pictures
findings.py     the kinds of findings with their severity and remedy
diagnosis.py    all of the above for one folder; quarantine.py moves bad pictures away
"""
