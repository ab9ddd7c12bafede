//! One order from its beginning to the certificate: the account, the authority's questions answered, the key, the chain.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder,
    Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::board::{Board, PROTOCOL};
use super::http::Https;
use super::store::Kept;
use crate::config::{AcmeConfig, Challenge};

/// What the authority answers when it knows the account no more (RFC 8555, section 6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// How often the authority is asked whether it is done.
const ASK: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).timeout(Duration::from_secs(120));

/// Orders a certificate: gives it, those that lead to its issuer and its key as PEM. `kept` has the account, from now on.
///
/// # Errors
/// A sentence that says what went wrong.
pub(super) async fn order(
    config: &AcmeConfig,
    challenge: Challenge,
    kept: &mut Kept,
    board: &Board,
) -> Result<String, String> {
    let account = account(config, kept).await?;
    let names: Vec<Identifier> = config.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = match account.new_order(&NewOrder::new(&names)).await {
        Ok(order) => order,
        Err(error) => {
            if matches!(&error, Error::Api(problem) if problem.r#type.as_deref() == Some(NO_ACCOUNT)) {
                // The next try makes another one.
                kept.account = None;
            }
            return Err(said(&error));
        }
    };
    answer(&mut order, challenge, board).await?;
    let status = order.poll_ready(&ASK).await.map_err(|error| said(&error))?;
    if status != OrderStatus::Ready {
        return Err(refusal(&mut order).await);
    }
    let key = order.finalize().await.map_err(|error| said(&error))?;
    let chain = order.poll_certificate(&ASK).await.map_err(|error| said(&error))?;
    Ok(format!("{}\n{key}", chain.trim_end()))
}

/// The account with the authority; made where there is none yet.
async fn account(config: &AcmeConfig, kept: &mut Kept) -> Result<Account, String> {
    let https =
        || Https::new(config.ca_file.as_deref()).map(|https| Account::builder_with_http(Box::new(https)));
    if kept.directory_url == config.directory_url
        && let Some(known) = &kept.account
    {
        match serde_json::from_value::<AccountCredentials>(known.clone()) {
            Ok(known) => return https()?.from_credentials(known).await.map_err(|error| said(&error)),
            Err(error) => {
                tracing::error!(%error, "the account with the authority cannot be read: a new one is made")
            }
        }
    }
    let contact = config.contact.as_ref().map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: config.terms_agreed,
        only_return_existing: false,
    };
    let made = https()?.create(&new, config.directory_url.clone(), None).await;
    let (account, credentials) = made.map_err(|error| said(&error))?;
    kept.account = Some(serde_json::to_value(&credentials).map_err(|error| error.to_string())?);
    kept.directory_url.clone_from(&config.directory_url);
    Ok(account)
}

/// Puts the answers up, and says that they are.
async fn answer(order: &mut Order, way: Challenge, board: &Board) -> Result<(), String> {
    let mut authorizations = order.authorizations();
    while let Some(asked) = authorizations.next().await {
        let mut asked = asked.map_err(|error| said(&error))?;
        match asked.status {
            AuthorizationStatus::Pending => {}
            AuthorizationStatus::Valid => continue,
            status => return Err(format!("the authority says that a name is {status:?}")),
        }
        let kind = match way {
            Challenge::Http => ChallengeType::Http01,
            Challenge::Auto | Challenge::Tls => ChallengeType::TlsAlpn01,
        };
        let mut challenge = asked
            .challenge(kind.clone())
            .ok_or_else(|| format!("the authority does not offer {kind:?} for a name"))?;
        let proof = challenge.key_authorization();
        match way {
            Challenge::Http => board.put_http(&challenge.token, proof.as_str()),
            Challenge::Auto | Challenge::Tls => {
                let name = challenge.identifier().to_string();
                let config = handshake(&name, proof.digest().as_ref())?;
                board.put_tls(&name, config);
            }
        }
        challenge.set_ready().await.map_err(|error| said(&error))?;
    }
    Ok(())
}

/// What is shown to the authority in a handshake (RFC 8737, section 3).
fn handshake(name: &str, digest: &[u8]) -> Result<Arc<ServerConfig>, String> {
    let made = || -> Result<ServerConfig, Box<dyn std::error::Error>> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let key = provider.key_provider.load_private_key(key)?;
        // The usual way looks whether key and certificate belong together, and cannot read this one: what is in it has
        // to be marked as critical.
        let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(config)
    };
    made().map(Arc::new).map_err(|error| format!("the answer cannot be made: {error}"))
}

/// Why the authority does not issue the certificate.
async fn refusal(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut asked)) = authorizations.next().await {
        // What was known of it is from before.
        let Ok(now) = asked.refresh().await else { continue };
        if let Some(problem) = now.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return format!("the authority could not see that {} leads here: {problem}", now.identifier());
        }
    }
    "the authority does not issue it, and does not say why".to_owned()
}

fn said(error: &Error) -> String {
    match error {
        Error::Api(problem) => format!("the authority says: {problem}"),
        Error::Other(other) => format!("the authority was not reached: {other}"),
        other => other.to_string(),
    }
}
