-- The loans of a prefix as the first build made them.
CREATE TABLE IF NOT EXISTS lender (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  doomed INTEGER NOT NULL,
  purges INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS loans (
  pack TEXT NOT NULL,
  borrower TEXT NOT NULL,
  told INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  PRIMARY KEY (pack, borrower)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS loans_borrower ON loans (borrower);
CREATE TABLE IF NOT EXISTS borrowers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  retry_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retired_packs (
  pack TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  level INTEGER NOT NULL
) WITHOUT ROWID;
