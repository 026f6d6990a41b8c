// Verifies an access token as a service in front of Keyport would, knowing the
// issuer and its own name as audience, and nothing else. Reads
// {"issuer", "audience", "genuine", "tampered"} from standard input, and writes
// what came of each way to look at the tokens: a subject, or the code of an error.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { text } from 'node:stream/consumers'

const { issuer, audience, genuine, tampered } = JSON.parse(await text(process.stdin))

const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`)
const metadata = await answer.json()
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
const wanted = {
  issuer: metadata.issuer,
  audience,
  typ: 'at+jwt',
  algorithms: metadata.id_token_signing_alg_values_supported,
  requiredClaims: ['sub', 'exp', 'iat', 'jti'],
}

async function verdict(token, options) {
  try {
    const { payload } = await jwtVerify(token, keys, { ...wanted, ...options })
    return payload.sub
  } catch (error) {
    return error.code ?? String(error)
  }
}

console.log(JSON.stringify({
  genuine: await verdict(genuine),
  tampered: await verdict(tampered),
  'from another issuer': await verdict(genuine, { issuer: 'https://another.example' }),
  'for another audience': await verdict(genuine, { audience: 'https://another.example' }),
  'of another type': await verdict(genuine, { typ: 'JWT' }),
  'an hour late': await verdict(genuine, { currentDate: new Date(Date.now() + 3600e3) }),
}))
