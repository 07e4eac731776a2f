// node node.mjs micropython|pyodide FOLDER < job: boots the interpreter that stands in FOLDER, lays the job's files into
// its file system, and has runner.py run the job's modules. What that returns is the last line of the output.
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const [interpreter, folder] = process.argv.slice(2);
const boot = {
  micropython: (module) => module.loadMicroPython({ stdout: console.log, stderr: console.error, linebuffer: true }),
  pyodide: (module) => module.loadPyodide({ indexURL: folder }),
}[interpreter];

const job = JSON.parse(await text(process.stdin));
const python = await boot(await import(pathToFileURL(`${folder}/${interpreter}.mjs`)));
for (const [name, content] of Object.entries(job.files)) {
  const path = `${python.FS.cwd()}/${name}`;
  python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
  python.FS.writeFile(path, content);
}
console.log(python.pyimport("runner").run(JSON.stringify(job.modules)));
