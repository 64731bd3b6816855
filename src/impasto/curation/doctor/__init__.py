"""The dataset doctor: looks at every picture of a collection and says what is wrong with it, and how to mend it.

examine.py      one stored picture -> what it is and whether it is whole
survey.py       all of them, in threads; notebook.py remembers them for the next time
duplicates.py   groups of the same picture, by the criterion of data/likeness.py
names.py, strays.py    file names that make trouble, files that are not taken for pictures
findings.py     what can be found, how grave it is, and the remedy
diagnosis.py    all of the above, of one folder; quarantine.py moves away what it condemns
"""
