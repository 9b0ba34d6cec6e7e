//! NV0707: the way to the network cannot be set up.

use nival_diagnostics::{Entry, Example};

/// The entry.
pub static ENTRY: Entry = Entry {
    code: "NV0707",
    title: "the way to the network cannot be set up",
    page: "A proxy address, a netrc file or a file of certificates cannot be used. The message names it and says what is wrong with it.\n\nProxies come from the variables `http_proxy`, `https_proxy` and `no_proxy`, certificates from `SSL_CERT_FILE`.",
    example: Example::Situation {
        story: "The variable `http_proxy` holds something that is no address.",
        test: "a_proxy_that_is_none_is_refused",
    },
};
