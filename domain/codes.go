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
		"The collection has records, so its schema and its unique fields cannot be changed.",
		"Declare another collection and move the records.")
	ErrInvalidCollection = promise(Invalid, "invalid-collection",
		"That is not a usable declaration of a collection.",
		"The list of errors names each part at fault.")
	ErrInvalidSchema = promise(Invalid, "invalid-schema",
		"That is not a usable JSON Schema.",
		"Write JSON Schema 2020-12 without references to other documents.")
	ErrInvalidRule = promise(Invalid, "invalid-rule",
		"That is not a usable access rule.",
		"A rule is anyone, account, owner, or role: and the name of a role.")
	ErrRecordNotFound = promise(NotFound, "record-not-found",
		"There is no such record, or none that you may see.",
		"Look at the id, or sign in as somebody who may see it.")
	ErrRecordExists = promise(Conflict, "record-exists",
		"There is already a record of that id.",
		"Choose another id.")
	ErrInvalidRecord = promise(Invalid, "invalid-record",
		"The data does not fit the collection's schema.",
		"The list of errors names each place at fault. GET the collection to see its schema.")
	ErrNotUnique = promise(Conflict, "not-unique",
		"Another record has the same value in a field that must be unique.",
		"The list of errors names the field. Choose another value.")

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
