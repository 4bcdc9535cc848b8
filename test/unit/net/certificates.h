/* Certificates for tests, made in memory of this process's life with OpenSSL, in a folder of their
 * own that goes with the process. P-256 keys; names as in test/broker/certificates.sh:
 *   ca.pem                     the authority of all below but those named otherwise
 *   server.pem/.key            for localhost, 127.0.0.1 and ::1
 *   client.pem/.key            for client authentication
 *   client-encrypted.key       client.key (PKCS#8) encrypted with CERTIFICATES_PASSWORD
 *   client-traditional.key     the same in the old encrypted form
 *   expired.pem/.key           as server, but expired
 *   later.pem/.key             as server, but not valid yet
 *   revoked.pem/.key           as server, but in crl.pem
 *   crl.pem                    what ca has revoked; crl-old.pem the same, out of date;
 *   crl-other.pem              what wrong-ca has revoked
 *   other-name.pem/.key        a server, but for other.example and 127.0.0.9
 *   wildcard.pem/.key          a server for *.example.test
 *   intermediate.pem/.key      an authority signed by ca
 *   chain.pem/.key             a server for localhost below intermediate, which follows in the file
 *   wrong-ca.pem               another authority
 *   wrong-client.pem/.key      a client of wrong-ca
 *   self-signed.pem/.key       a server for localhost without an authority
 *   rsa.key                    an RSA key that belongs to no certificate
 *   empty.pem, garbage.pem     no certificates at all */
#ifndef TEST_UNIT_NET_CERTIFICATES_H
#define TEST_UNIT_NET_CERTIFICATES_H

#define CERTIFICATES_PASSWORD "correct horse"

/* Makes them, once; to be called before tests are forked. Ends the process when that fails. */
void certificates_make(void);

/* The path of one of the above or of a file that does not exist there. Lives as long as the
 * process; at most 64 names. */
const char *certificate_path(const char *name);

#endif
