"""The dataset doctor: checks every picture of a collection and reports problems with their remedies.

examine.py      one stored picture -> its properties, and whether it is complete
survey.py       all pictures, in threads; notebook.py remembers them for the next check
duplicates.py   groups of the same picture, by the criterion of data/likeness.py
names.py, strays.py    problematic file names, files that are not read as pictures
findings.py     the kinds of findings with their severity and remedy
diagnosis.py    all of the above for one folder; quarantine.py moves bad pictures away
"""
