/* Why a TLS session ended, in words that say what to change: OpenSSL's codes are turned into texts
 * here. Runs on the thread that uses the session. */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "lib/base/error.h"
#include "lib/net/tls_private.h"

static int find_refusal(struct tls_session *session);
static void fail_closed(struct tls_session *session, enum tls_phase phase);
static void fail_openssl(struct tls_session *session);
static void fail_verification(struct tls_session *session);
static void fail_alert(struct tls_session *session, int alert);

const char *tls_openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return reason ? reason : "OpenSSL gives no reason";
}

static bool lacks_certificate(const struct tls_session *session)
{
    return session->certificate_asked && !session->settings.has_certificate;
}

void tls_session_conclude(struct tls_session *session, enum tls_phase phase, int openssl_error)
{
    session->end = IO_FAILED;
    if (phase == TLS_WRITE && openssl_error == SSL_ERROR_SYSCALL && !session->received)
        openssl_error = find_refusal(session);
    if (openssl_error == SSL_ERROR_SSL) {
        fail_openssl(session);
    } else if (openssl_error == SSL_ERROR_ZERO_RETURN || session->socket_result == IO_CLOSED) {
        fail_closed(session, phase);
    } else {
        error_set(&session->failure, MQC_NO_CONNECTION, "%s: the connection broke", session->peer);
        error_mark_retryable(&session->failure);
    }
}

/* A TLS 1.3 server that refuses our certificate says so after our side of the handshake is over and
 * closes; when writing fails then, the reason is still there to be read. */
static int find_refusal(struct tls_session *session)
{
    char byte;
    size_t got;
    enum io_result socket_result = session->socket_result;
    ERR_clear_error();
    int result = SSL_peek_ex(session->openssl, &byte, 1, &got);
    int openssl_error = result == 1 ? SSL_ERROR_SYSCALL : SSL_get_error(session->openssl, result);
    session->socket_result = socket_result;
    return openssl_error == SSL_ERROR_SSL ? SSL_ERROR_SSL : SSL_ERROR_SYSCALL;
}

static void fail_closed(struct tls_session *session, enum tls_phase phase)
{
    if (lacks_certificate(session) && !session->received) {
        error_set(&session->failure, MQC_TLS,
                  "%s: the peer closed the connection after asking for a client certificate: set "
                  "certificate_file and key_file",
                  session->peer);
        error_mark_retryable(&session->failure); /* it may have asked without insisting */
    } else if (phase == TLS_HANDSHAKE) {
        error_set(&session->failure, MQC_TLS,
                  "%s: the peer closed the connection during the TLS handshake: does it ask for a "
                  "client certificate, or has it TLS switched off?",
                  session->peer);
        error_mark_retryable(&session->failure);
    } else {
        session->end = IO_CLOSED;
    }
}

static void fail_openssl(struct tls_session *session)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: fail_verification(session); return;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_TOO_SMALL:
    case SSL_R_UNKNOWN_PROTOCOL:
        if (session->established) break;
        error_set(&session->failure, MQC_TLS,
                  "%s: the peer did not speak TLS: is it a plain-text port? (%s)", session->peer,
                  tls_openssl_reason());
        return;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        error_set(&session->failure, MQC_TLS, "%s: the peer has no TLS 1.2 or newer (%s)",
                  session->peer, tls_openssl_reason());
        return;
    default:
        if (reason <= SSL_AD_REASON_OFFSET) break;
        fail_alert(session, reason - SSL_AD_REASON_OFFSET);
        return;
    }
    error_set(&session->failure, MQC_TLS, "%s: TLS failed: %s", session->peer,
              tls_openssl_reason());
}

static const char *verification_advice(const struct tls_session *session, long verification)
{
    switch (verification) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED: return ": are the clocks right?";
    case X509_V_ERR_UNABLE_TO_GET_CRL: return ": tls_crl_file has no list of its authority";
    case X509_V_ERR_CRL_HAS_EXPIRED: return ": tls_crl_file is too old";
    default: return "";
    }
    if (session->settings.server) return ": the client's authority is not in client_ca_file";
    return session->settings.own_authority
               ? ": the server's authority is not in ca_file"
               : ": the server's authority is not in the system's trust store: set ca_file";
}

static void fail_verification(struct tls_session *session)
{
    long verification = SSL_get_verify_result(session->openssl);
    const char *text = X509_verify_cert_error_string(verification);
    bool other_name = verification == X509_V_ERR_HOSTNAME_MISMATCH ||
                      verification == X509_V_ERR_IP_ADDRESS_MISMATCH;
    error_set(&session->failure, MQC_TLS, "%s: certificate verify failed: %s%s%s", session->peer,
              text, other_name ? ": expected " : verification_advice(session, verification),
              other_name ? session->expected : "");
}

/* Whether an alert can mean that the server wants another client certificate, or one at all. */
static bool is_about_certificate(int alert)
{
    switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE: /* TLS 1.2 for a missing one */
    case SSL_AD_NO_CERTIFICATE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_DECRYPT_ERROR:
    case SSL_AD_CERTIFICATE_REQUIRED: return true;
    default: return false;
    }
}

static void fail_alert(struct tls_session *session, int alert)
{
    /* "tlsv13 alert certificate required" */
    const char *text = tls_openssl_reason(), *name = strstr(text, "alert ");
    if (name) text = name + strlen("alert ");
    const char *who =
        session->settings.server ? "the client does not accept the server's certificate"
        : lacks_certificate(session)
            ? "the peer asks for a client certificate: set certificate_file and key_file"
        : session->certificate_asked ? "the peer does not accept the client certificate"
                                     : NULL;
    if (!who || !is_about_certificate(alert)) who = "the peer ended TLS with an alert";
    error_set(&session->failure, MQC_TLS, "%s: %s (%s)", session->peer, who, text);
}
