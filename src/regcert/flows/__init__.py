"""What RegCERT does: one verb a file, read from top to bottom.

A flow is handed what it needs, asks the minds, and opens the transactions; nobody below it does. The laws that hold here:

* what is posted passes `Received`, `Parsed`, `Verified`, `Admitted`, and only the last can be stored;
* a submission is one transaction or nothing, and no network call happens inside one;
* an answer leaves after the commit that holds it;
* what a principal may not see does not exist for it: the answer is the same.
"""
