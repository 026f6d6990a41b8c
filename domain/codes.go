package domain

// The failures that Keyport promises by name. A code never changes its meaning
// and is never used again once retired. Each has a page of its own, at the URL
// that problem documents give as their type.
var (
	ErrMalformed = promise(Malformed, "malformed-request",
		"The request cannot be read.",
		"Send one JSON value in UTF-8 with exact and unique member names, no NUL and no lone surrogates, nested at most 32 deep.")
	ErrInvalid = promise(Invalid, "invalid-request",
		"The request can be read, but what it says is not usable.",
		"The list of errors names each input at fault, and what is wanted of it.")
	ErrTooLarge = promise(TooLarge, "too-large",
		"That is larger than Keyport takes.",
		"A request's body may have 1 MiB, compressed or not.")

	ErrInvalidLogin = promise(Invalid, "invalid-login",
		"That is not a usable login.",
		"A user name has 1 to 64 visible characters, no @ and no colon, and no space at either end. An e-mail address is ASCII and has at most 254 bytes.")
	ErrInvalidName = promise(Invalid, "invalid-name",
		"That is not a usable display name.",
		"A display name has at most 200 visible characters.")
	ErrInvalidRole = promise(Invalid, "invalid-role",
		"That is not a usable role.",
		"A role has 1 to 32 lower-case letters, digits, hyphens and underscores, and begins with a letter. An account has at most 16.")
	ErrInvalidStatus = promise(Invalid, "invalid-status",
		"That is not a status of an account.",
		"An account is active or suspended.")
	ErrWeakPassword = promise(Invalid, "weak-password",
		"That password is not strong enough.",
		"Choose a longer one that is not on the lists of common passwords and does not repeat your own names. Several random words do well.")
	ErrLoginTaken = promise(Conflict, "login-taken",
		"That login is already taken.",
		"Choose another. Logins that differ only in case or in the width of letters count as the same.")
	ErrAccountNotFound = promise(NotFound, "account-not-found",
		"There is no such account.",
		"Look at the id: it may have been deleted.")
	ErrAccountSuspended = promise(Forbidden, "account-suspended",
		"This account is suspended.",
		"Ask an administrator to restore it.")
	ErrInvalidCredentials = promise(Unauthenticated, "invalid-credentials",
		"The login or the password is wrong.",
		"Type both again. Which of the two was wrong is not told.")
	ErrWrongPassword = promise(Forbidden, "wrong-password",
		"The current password is wrong.",
		"Type the current password again. You are still signed in.")
	ErrCredentialChanged = promise(Conflict, "credential-changed",
		"The password was changed by somebody else meanwhile.",
		"Sign in with the current password, then try again.")

	ErrUnauthenticated = promise(Unauthenticated, "unauthenticated",
		"This needs an access token.",
		"Sign in at /v1/sessions and send the access token in an Authorization header: Bearer, a space, the token.")
	ErrInvalidToken = promise(Unauthenticated, "invalid-token",
		"The token is not valid, has expired, or has been revoked.",
		"Refresh at /v1/token, or sign in again.")
	ErrTokenReused = promise(Unauthenticated, "token-reused",
		"This refresh token was used before, so its session has been ended.",
		"Sign in again. If you did not use it twice, somebody else may have held it.")
	ErrSessionNotFound = promise(NotFound, "session-not-found",
		"There is no such session.",
		"It may have ended already.")

	ErrKeyNotFound = promise(NotFound, "key-not-found",
		"There is no such signing key.",
		"The command keyport keys list shows those that there are.")
	ErrInvalidScope = promise(Invalid, "invalid-scope",
		"Those are not usable scopes of an access key.",
		"The scopes are account:read, records:read, records:write, tokens:introspect and admin. A key has one at least.")
	ErrInvalidExpiry = promise(Invalid, "invalid-expiry",
		"That is not a time at which an access key can expire.",
		"Give a time that is still to come, or none for a key that you will end yourself.")
	ErrAccessKeyNotFound = promise(NotFound, "access-key-not-found",
		"There is no such access key.",
		"It may have been ended, or have expired.")
	ErrTooManyAccessKeys = promise(Conflict, "too-many-access-keys",
		"The account has as many access keys as it may have.",
		"End those that are not in use: an account may have 100.")
	ErrOutOfScope = promise(Forbidden, "out-of-scope",
		"The access key does not have the scope for that.",
		"Make a key that has it, or sign in.")
	ErrNotByKey = promise(Forbidden, "not-by-key",
		"That cannot be done with an access key.",
		"Sign in, and send the access token of the session.")

	ErrCollectionNotFound = promise(NotFound, "collection-not-found",
		"There is no such collection.",
		"GET /v1/collections lists those that there are.")
	ErrCollectionExists = promise(Conflict, "collection-exists",
		"There is already a collection of that name.",
		"Choose another name, or replace the one that is there.")
	ErrCollectionChanged = promise(Conflict, "collection-changed",
		"The collection's declaration changed meanwhile.",
		"Try again.")
	ErrCollectionInUse = promise(Conflict, "collection-in-use",
		"The collection has records, so it cannot be deleted, nor get other unique fields.",
		"Delete the records first, or declare another collection and move them.")
	ErrCollectionManaged = promise(Conflict, "collection-managed",
		"The collection is declared in a file of the operator's.",
		"Ask the operator to change the file. Keyport reads it when it starts, and with keyport collections apply.")
	ErrRecordsUnfit = promise(Conflict, "records-unfit",
		"Some of the records that are stored do not fit the new declaration, so the old one holds.",
		"The list of errors names the first of them. Mend or delete them, or declare a schema that they fit. With dry_run=true you can look before.")
	ErrTooManyToCheck = promise(Conflict, "too-many-to-check",
		"The collection has more records than can be checked while you wait, so the old declaration holds.",
		"Ask the operator to apply the declaration by command: keyport collections apply.")
	ErrInvalidCollection = promise(Invalid, "invalid-collection",
		"That is not a usable declaration of a collection.",
		"The list of errors names each part at fault.")
	ErrInvalidSchema = promise(Invalid, "invalid-schema",
		"That is not a usable JSON Schema.",
		"Write JSON Schema 2020-12 without references to other documents.")
	ErrInvalidRule = promise(Invalid, "invalid-rule",
		"That is not a usable access rule.",
		"A rule is an expression in CEL over account, record and, to update, next. The list of errors says where it goes wrong.")
	ErrInvalidFilter = promise(Invalid, "invalid-filter",
		"That is not a usable filter.",
		"A filter is an expression in CEL over account and record, such as record.data.length > 10. The list of errors says where it goes wrong.")
	ErrInvalidSort = promise(Invalid, "invalid-sort",
		"That is not a usable order.",
		"Name fields joined by commas, each behind a hyphen if it descends, such as -length,model.")
	ErrNotSorted = promise(Invalid, "not-sorted",
		"The collection has no index of that order.",
		"Sort by id, created_at, updated_at, or an index that the declaration names and that is built, or its exact reverse.")
	ErrTooBroad = promise(Invalid, "too-broad",
		"No index serves that filter or search, and too many records would have to be looked at.",
		"Search for a rarer word; filter for equality with, or sort by, the first fields of an index that the declaration names; or ask for one to be declared.")
	ErrInvalidSearch = promise(Invalid, "invalid-search",
		"That is not a usable search.",
		"Give 1 to 10 words, of at most 200 bytes in all.")
	ErrNotSearched = promise(Invalid, "not-searched",
		"The collection has no fields that can be searched, or they are still being entered.",
		"Name them under search in the collection's declaration, or filter, or wait until its building is false.")
	ErrRecordNotFound = promise(NotFound, "record-not-found",
		"There is no such record, or none that you may see.",
		"Look at the id, or sign in as somebody who may see it.")
	ErrRecordExists = promise(Stale, "record-exists",
		"There is already a record of that id.",
		"Choose another id, or replace the record: read it, and send its ETag in If-Match.")
	ErrInvalidRecord = promise(Invalid, "invalid-record",
		"The data does not fit the collection's schema.",
		"The list of errors names each place at fault. GET the collection to see its schema.")
	ErrNotUnique = promise(Conflict, "not-unique",
		"Another record has the same value in a field that must be unique.",
		"The list of errors names the field. Choose another value.")

	ErrInvalidBatch = promise(Invalid, "invalid-batch",
		"That is not a usable batch.",
		"A batch has 1 to 100 operations, each create, replace, patch or delete. The list of errors names the operation at fault; nothing was done.")
	ErrNotWatched = promise(Conflict, "not-watched",
		"Nobody is told of changes in this collection.",
		"Set watch to true in the collection's declaration.")
	ErrTooManyWatchers = promise(Unavailable, "too-many-watchers",
		"As many watch as may.",
		"Wait as long as Retry-After says, then try again.")
	ErrImportNotFound = promise(NotFound, "import-not-found",
		"There is no such import, or none of yours.",
		"Look at the id. What has not gone on for seven days is forgotten.")
	ErrImportMoved = promise(Conflict, "import-moved",
		"The import is being taken on elsewhere.",
		"Read how far it is, and send the same lines again if it stands still.")
	ErrInvalidIdempotencyKey = promise(Invalid, "invalid-idempotency-key",
		"That is not a usable Idempotency-Key.",
		"Send one of 1 to 255 visible ASCII characters, such as a UUID, and another for each thing that is to be done once.")
	ErrIdempotencyKeyReused = promise(Invalid, "idempotency-key-reused",
		"That Idempotency-Key came with another request before.",
		"Send the same request again, or a new key with a new one.")
	ErrAnswerLost = promise(Conflict, "answer-lost",
		"That request was done before, but its answer can no longer be shown.",
		"Do not send it again: read what it was to change. The operator has retired the key that sealed the answer.")
	ErrStillRunning = promise(Conflict, "still-running",
		"The first request with that Idempotency-Key has not ended yet.",
		"Wait a moment, then send it again.")

	ErrNumberNotFound = promise(NotFound, "number-not-found",
		"There is nothing of that number.",
		"Numbers are those of one older API, and are never used again.")

	ErrStale = promise(Stale, "stale-revision",
		"It has changed since it was read.",
		"Read it again, apply your change to what it is now, and send the new ETag in If-Match.")
	ErrNoCondition = promise(Unconditional, "precondition-required",
		"This change needs an If-Match header.",
		"Send the ETag that came with the last read, or * to change whatever is there.")
	ErrInvalidCursor = promise(Invalid, "invalid-cursor",
		"That cursor does not belong to this list.",
		"Use the next cursor of the page before, with the same parameters, or begin without one.")
	ErrNotAllowed = promise(Forbidden, "not-allowed",
		"You may not do that.",
		"Sign in as somebody who may.")

	ErrBusy = promise(Unavailable, "busy",
		"Too many sign-ins at once.",
		"Wait as long as Retry-After says, then try again.")
	ErrUnavailable = promise(Unavailable, "unavailable",
		"The store cannot be reached at the moment.",
		"Wait as long as Retry-After says, then try again. Nothing was changed unless it was acknowledged.")
	ErrTimeout = promise(Unavailable, "timeout",
		"It took too long, and was given up.",
		"Wait as long as Retry-After says, then try again. A change may have been made nonetheless: read before you repeat it.")
	ErrInternal = promise(Internal, "internal",
		"Something went wrong on our side.",
		"Tell the operator the instance: the log has a line with the same request id.")
)

// Errors returns every failure that is promised by name, in the order in which
// the manual tells them.
func Errors() []*Error { return append([]*Error(nil), promised...) }

var promised []*Error

func promise(k Kind, code, detail, remedy string) *Error {
	e := &Error{Kind: k, Code: code, Detail: detail, Remedy: remedy}
	promised = append(promised, e)
	return e
}
