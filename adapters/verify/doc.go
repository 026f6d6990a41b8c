// Package verify lets another service check Keyport's access tokens by itself,
// without asking Keyport about each: by its public keys, and by its feed of what
// was revoked.
//
//	v, err := verify.New(verify.Config{
//		Issuer: "https://keyport.example",
//		Key:    domain.NewSecret(os.Getenv("HARBOUR_KEY")), // an access key with tokens:introspect
//	})
//	if err != nil {
//		return err
//	}
//	go func() { failed <- v.Run(ctx) }()
//	http.Handle("GET /berths", v.Require(http.HandlerFunc(berths)))
//
//	claims, _ := verify.ClaimsOf(r.Context()) // in berths: who asks
//
// It owns fetching the metadata, the key set and the feed, how long each may be
// relied upon, and saying no over HTTP. It fails closed: a token is taken only if
// all that was revoked up to RevocationMax ago has been heard. It leaves to domain
// what a revoked token is, to adapters/jose what a genuine one is, so that what is
// forged for Keyport is forged for everyone, and to its caller what the bearer of
// a good one may do.
//
// It stands among the adapters because it is one, on the far side of Keyport's own
// doors: it speaks HTTP, so it can be no port, and it asks no service. Nothing in
// Keyport needs it.
package verify
