using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Jupyter;
using Holdfast.Server.Jupyter;
using Holdfast.Server.Jupyter.Kernels;
using Holdfast.Server.Jupyter.Specs;
using Holdfast.Server.Jupyter.Status;
using Microsoft.AspNetCore.Http;

namespace Holdfast.Tests.Jupyter.Door;

/// <summary>Jupyter's models byte for byte: clients check them key by key, and take a kernel for dead over a missing one.</summary>
public sealed class JupyterModelTests
{
    private const long At = 1_767_323_045_678_901; // 2026-01-02T03:04:05.678901Z
    private static readonly Kernel Python = new(
        new KernelId("0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10"),
        "python3",
        KernelState.Running,
        null,
        "/srv",
        At
    );

    [Fact]
    public void A_kernel() =>
        Expect("kernel.json", w => KernelModel.Write(w, new KernelView(Python, "busy", true, 4711, At) { Connections = 2 }));

    [Fact]
    public void A_dead_kernel_says_why() =>
        Expect(
            "kernel-dead.json",
            w =>
                KernelModel.Write(
                    w,
                    new KernelView(
                        Python with
                        {
                            State = KernelState.Dead,
                            Reason = "It was ended by signal 9 (KILL).",
                        },
                        "dead",
                        false,
                        null,
                        At
                    )
                )
        );

    [Fact]
    public void Kernelspecs_with_their_files()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("holdfast-");
        try
        {
            foreach (string file in (string[])["kernel.json", "kernel.js", "logo-32x32.png", "logo-svg.svg", "notes.txt"])
            {
                File.WriteAllText(Path.Combine(folder.FullName, file), "");
            }

            KernelSpec spec = KernelSpec.Parse(
                "python3",
                folder.FullName,
                """
                {"argv":["python3","-m","ipykernel_launcher","-f","{connection_file}"],"display_name":"Python 3","language":"python","metadata":{"debugger":true},"env":{"A":"b"}}
                """
            );
            Expect("kernelspecs.json", w => SpecEndpoints.WriteList(w, [spec], "/t/x"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_server_s_status() =>
        Expect(
            "status.json",
            w => StatusEndpoints.WriteStatus(w, At, [new KernelView(Python, "idle", true, 1, At + 5_000_000) { Connections = 3 }])
        );

    [Fact]
    public void The_user_and_what_he_may_do() => Expect("me.json", w => MeEndpoints.Write(w, "ann", """{"contents":["read","write"]}"""));

    [Fact]
    public async Task An_error_has_a_message_and_the_code_as_its_reason()
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        await JupyterProblem.WriteAsync(context, ErrorCodes.Recovering, "The server is taking up its work again.", 503);
        Assert.Equal(
            ("application/json", 503, "1"),
            (context.Response.ContentType, context.Response.StatusCode, context.Response.Headers.RetryAfter.ToString())
        );
        Assert.Equal(Golden("problem.json"), Encoding.UTF8.GetString(body.ToArray()));
    }

    private static void Expect(string golden, Action<Utf8JsonWriter> write)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body, JupyterText.Options))
        {
            write(writer);
        }

        Assert.Equal(Golden(golden), Encoding.UTF8.GetString(body.ToArray()));
    }

    private static string Golden(string name) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "jupyter", name)).TrimEnd('\n');
}
