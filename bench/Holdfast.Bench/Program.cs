using System.Runtime.InteropServices;
using Holdfast.Bench;
using Holdfast.Bench.Figures;
using Holdfast.Bench.Processes;
using Holdfast.Bench.Report;

// The performance bars of this house: see docs/benchmarks.md.
IBench[] benches =
[
    new Floors(),
    new Submit(),
    new OneJob(),
    new ManyJobs(),
    new ColdStart(),
    new Reattach(),
    new Notebook(),
    new Keystrokes(),
    new ReactiveGraph(),
    new Cascades(),
    new Output(),
    new IdleSupervisors(),
    new ManyKernels(),
    new JupyterDoor(),
    new Scrape(),
    new Longevity(),
    new Callbacks(),
];
if (BenchOptions.Parse(args, benches.Select(b => b.Name)) is not { } options)
{
    return 2;
}

if (!File.Exists(options.Program))
{
    Console.Error.WriteLine($"There is no program at {options.Program}. Run ./dev build first.");
    return 2;
}

using var sandbox = new Sandbox();

// Whoever stops a run must not be left with its fifty kernels.
void Leave(PosixSignalContext context)
{
    sandbox.Dispose();
    Environment.Exit(130);
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Leave);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave);

(string Name, string Value)[] machine = [.. Machine.Describe(sandbox.Folder)];
foreach ((string name, string value) in machine)
{
    Console.WriteLine($"{name, -12} {value}");
}

Console.WriteLine($"{"rounds", -12} {options.Rounds}{(options.IsSmoke ? " (smoke: the figures mean nothing)" : "")}");
Console.WriteLine("Each line: median (min-max), what stands beside it in the same rounds, the ratio of the two, the goal.");
var report = new BenchReport();
var run = new BenchRun(options, sandbox, report);
int failed = 0;
foreach (IBench bench in benches.Where(b => options.Names.Count == 0 || options.Names.Contains(b.Name)))
{
    report.Begin(bench.Name, bench.What);
    try
    {
        bench.Run(run);
    }
    catch (Exception e)
    {
        // One that fails says so, and costs the others nothing.
        failed++;
        Console.WriteLine($"  FAILED: {(options.IsSmoke ? e : e.Message)}");
        sandbox.Sweep();
    }
}

if (options.JsonFile is { } json)
{
    ReportJson.Write(json, report, machine);
}

int reached = report.Figures.Count(f => f.Figure.IsReached == true);
int missed = report.Figures.Count(f => f.Figure.IsReached == false);
Console.WriteLine();
Console.WriteLine($"{reached} reached, {missed} short, {failed} failed");
return failed == 0 ? 0 : 1;
