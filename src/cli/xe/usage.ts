/** What `xe` says about itself; the list of commands is the server's. */

export const VERSION_TEXT = 'ThinCLI protocol: 0.2\n'

export const USAGE_TEXT = `Usage: xe COMMAND [name=value ...] [options]

  -s, -h SERVER       the pool's coordinator           server=        (127.0.0.1: this host, by its local socket)
  -p PORT             443 with TLS, 80 without         port=
  -u NAME             user name                        username=      (root)
  -pwf FILE           line 1 user name, line 2 password  passwordfile=
  -pw PASSWORD        password, better left to -pwf    password=
  --cacert FILE       trust anchors the server's certificate must lead to    cacert=
  --fingerprint HEX   SHA-256 the server's certificate must have             fingerprint=
  --nossl             plain TCP                        nossl=true
  --debug             trace on stderr                  debug=true
  --debug-on-fail     the same trace, only when the command fails            debugonfail=true
  --traceparent ID    trace context to send along      traceparent=
  -version            protocol version
  -help, --help       this text

Each option can also stand in XE_EXTRA_ARGS (separated by commas) and, as name=value lines, in ~/.xe.
With certificate-... commands fingerprint= is a field of the certificates; there, use --fingerprint for the server.

The server lists its commands:  xe help --all -s SERVER
One of them in detail:          xe help COMMAND -s SERVER
`
