import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes an authority of its own (`ca.pem`) and a certificate of it (`NAME.pem`, `NAME.key`) in a folder.
 * @param altNames such as `DNS:localhost` and `IP:127.0.0.1`
 */
export async function makeCertificate(folder: string, name: string, altNames: readonly string[]): Promise<void> {
  const openssl = async (line: string) => void (await run('openssl', line.split(' '), { cwd: folder }));
  await openssl('req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=authority-of-a-test');
  await openssl(
    `req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name} -addext subjectAltName=${altNames.join(',')}`,
  );
  await openssl(
    `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out ${name}.pem`,
  );
}
