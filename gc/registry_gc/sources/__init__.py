"""What is in use: the interface of a source, and the sources. Imports registry and below.

A new source is a file of its own with a function that takes the images of the run and gives a
`source.Found`. One that holds texts feeds them to a `mentions.Search`, a search for each root.
"""
