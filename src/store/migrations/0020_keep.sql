-- The repository in which an agency's inventory is kept, and what Muster has
-- begun there.
CREATE TABLE keeping (
    agency TEXT NOT NULL PRIMARY KEY,
    repository TEXT NOT NULL,
    -- When a pull request was begun that GitHub has not answered for.
    begun_at BIGINT,
    -- The newest pull request, and the commits that Muster made for it, divided
    -- by spaces.
    pull BIGINT,
    commits TEXT,
    -- Why it is not kept as the policy asks; NULL if it is. Since when, and when
    -- to ask again, if GitHub refused.
    hindrance TEXT,
    hindered_at BIGINT,
    again_at BIGINT
);

-- A published file in that repository: git's ids of what Muster proposed or
-- committed last, and of the last of these that was seen on the default branch.
CREATE TABLE kept (
    agency TEXT NOT NULL,
    file TEXT NOT NULL,
    said TEXT,
    stood TEXT,
    -- same, waits NUMBER, behind, absent or edited; NULL before the first look.
    stands TEXT,
    since BIGINT,
    seen_at BIGINT,
    PRIMARY KEY (agency, file)
);
