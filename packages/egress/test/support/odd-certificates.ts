// The authority that tests make issues neither.

/** For `localhost`, vouching for itself, and over since 2021. */
export const expired = {
  cert: [
    '-----BEGIN CERTIFICATE-----',
    'MIIBPzCB5qADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z',
    'dDAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxv',
    'Y2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLDyjfsV+PYwrQjYdgcK',
    'zDo61Zj4Lvr9D/8uN3kI4jS/GDNhskbccWFSM+NEnBQcCnJEFLH2sOmzQ5KKqpcf',
    'nHCjKTAnMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAPBgNVHRMBAf8EBTADAQH/MAoG',
    'CCqGSM49BAMCA0gAMEUCIA5fy8h0CHhrzu9opkyDfQsQePjiIs5nS1aZ8Ehs8/2Y',
    'AiEA90Rh0bvoCcSy0kWXfNPa1Pk/rmqwRHpyfFxF1629eV0=',
    '-----END CERTIFICATE-----',
  ].join('\n'),
  key: [
    '-----BEGIN PRIVATE KEY-----',
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAeCAtr9y840JYGdU',
    'AWLbgC30mxn/Cw6ESCo75s16nsKhRANCAASw8o37Ffj2MK0I2HYHCsw6OtWY+C76',
    '/Q//Ljd5COI0vxgzYbJG3HFhUjPjRJwUHApyRBSx9rDps0OSiqqXH5xw',
    '-----END PRIVATE KEY-----',
  ].join('\n'),
};

/** For `localhost`, vouching for itself until 2120. */
export const selfSigned = {
  cert: [
    '-----BEGIN CERTIFICATE-----',
    'MIIBQTCB6KADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z',
    'dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ',
    'bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE13KOXAp9HvuQcvK/',
    '1jMc6PNhBFw80kJt03c5npRWFRFnInCuru9OMBNVdrZ6Ap9t4zqk3D0jBNekmGm9',
    '7bbyHKMpMCcwFAYDVR0RBA0wC4IJbG9jYWxob3N0MA8GA1UdEwEB/wQFMAMBAf8w',
    'CgYIKoZIzj0EAwIDSAAwRQIhAKsbnE0HogqV5VP2TEWTkg7Zrw9LrKJ2xQf9ulMo',
    'hA+tAiBQbu2zptXQKRYg84ojFqqi7TbPxNN9HJMvddDXRHHw5g==',
    '-----END CERTIFICATE-----',
  ].join('\n'),
  key: [
    '-----BEGIN PRIVATE KEY-----',
    'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghaMT48TodYzxFFlB',
    'rT6zciOwqTByX7R+i3EDzImk/sKhRANCAATXco5cCn0e+5By8r/WMxzo82EEXDzS',
    'Qm3TdzmelFYVEWcicK6u704wE1V2tnoCn23jOqTcPSME16SYab3ttvIc',
    '-----END PRIVATE KEY-----',
  ].join('\n'),
};
