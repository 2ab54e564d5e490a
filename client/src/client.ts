// The language client, set up for our server. Loaded while a Python is being looked for, as it is large.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExtensionContext, LogOutputChannel } from 'vscode';
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';

/** pytest's configuration files. */
const CONFIGURATION = { scheme: 'file', pattern: '**/{pyproject.toml,{,.}pytest.{toml,ini},tox.ini,setup.cfg}' };

/** A client that logs its errors and never opens a window for them. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** A client that was not started yet. `crashed` is called where the server ends although nobody stopped it. */
export function createClient(
  python: string,
  { extensionPath, globalStorageUri }: ExtensionContext,
  initializationOptions: object,
  log: LogOutputChannel,
  crashed: () => void,
): LanguageClient {
  const [cwd, cache] = [join(extensionPath, 'server'), join(globalStorageUri.fsPath, 'pycache')];
  const args = ['-I', '-S', '-X', 'utf8', '-X', `pycache_prefix=${cache}`, join(cwd, 'launch.py')];
  const server = { command: python, args, options: { cwd } };
  const client = new QuietClient('awaitest', 'awaitest', server, {
    documentSelector: [{ language: 'python', scheme: 'file' }, CONFIGURATION],
    initializationOptions,
    initializationFailedHandler: () => false,
    outputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    markdown: { isTrusted: { enabledCommands: ['awaitest.openRule', 'awaitest.explainTest', 'awaitest.traceTest'] } },
    stdioOptions: {
      stdout: () => undefined,
      stderr: (input) => createInterface({ input }).on('line', (line) => log.info(line)),
    },
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => ({ action: CloseAction.DoNotRestart, handled: true, message: 'The server has ended.' }),
    },
  });
  client.onDidChangeState(({ oldState, newState }) => {
    if (oldState === State.Running && newState === State.Stopped) crashed();
  });
  return client;
}
