/** A key and a certificate for localhost that nobody else has signed: made for these tests, good for nothing, valid until 2126. */
export const untrustedCertificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjDZaRRqoarKRq0bW
dFrnZ1tCu8FwWsSIsw/yU/pQARmhRANCAARojN7PorNwCJ/zQBIcufWGdmzKy2dp
WSr6sJ0LB633FENq69lwjNbh532sqX4xwqDKuIUBMtGx5w0xqkftZqeD
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUW+EnXL+VIVA6Cz4qOXAZIzNc/+kwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE2MTI0MVoYDzIxMjYxMDI4
MTYxMjQxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARojN7PorNwCJ/zQBIcufWGdmzKy2dpWSr6sJ0LB633FENq69lwjNbh
532sqX4xwqDKuIUBMtGx5w0xqkftZqeDo2kwZzAdBgNVHQ4EFgQUkAej6f7gvNIM
yES4LeGmqDVtm38wHwYDVR0jBBgwFoAUkAej6f7gvNIMyES4LeGmqDVtm38wDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgVE6C/Qju/a2voxQVCooGv6d4OswrS/G30m/SI0STziwCIQCZKCkA17lR
HFR7phEWM7/UESHWy+ggYOrpWlbVHGgbeQ==
-----END CERTIFICATE-----
`,
};
