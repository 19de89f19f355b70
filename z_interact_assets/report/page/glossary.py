"""Words of the page for somebody who meets them for the first time."""

GLOSSARY = (
    ("Image", "A row of the app's table. Its picture is in R2, in the database, elsewhere, or not there."),
    (
        "R2",
        "Cloudflare's storage for files. Room in it is far cheaper than in a database, and it does not fill up.",
    ),
    (
        "Base64",
        "A way to write a file as text. An image as base64 takes a third more room and sits in the database itself.",
    ),
    (
        "Only base64",
        "The image exists as text in the database and nowhere else. Moving it to R2 is what remains to be done.",
    ),
    (
        "Moving (migrating)",
        "The image is written to R2 as a file, read back and compared, and only then the row is pointed at it.",
    ),
    (
        "Text kept for now",
        "After a move the base64 stays in the row for a waiting time, so that the move can be undone.",
    ),
    (
        "Clearing (reclaiming)",
        "After the waiting time the base64 of a moved image is deleted and the room in the database is free.",
    ),
    ("Quarantined", "Set aside untouched, because what the row holds is damaged or is no image. A person has to look."),
    ("Missing", "The database points at a file in R2 that is not there. Whoever opens it sees a broken picture."),
    (
        "File that belongs to no image",
        "A file in R2 that no row points at (an orphan). It costs a little and harms nothing.",
    ),
    ("Object, bucket, key", "R2's words for a file, for the place of all files, and for the file's name in it."),
    (
        "Persona, session, provider",
        "What the image shows, the sitting in which it was made, and the service that drew it.",
    ),
    ("Unknown", "It could not be counted. It is not zero."),
    ("UTC", "The time all times here are in, whatever the clock on your wall says."),
)
