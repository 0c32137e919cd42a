using System.Text.Json;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Kernels;

/// <summary>The comms of a real ipykernel are known to whoever comes late: while it is busy, and after the server was killed.</summary>
public sealed class CommTests
{
    [Fact]
    public async Task A_widget_whose_client_has_gone_is_there_with_its_state_for_the_next_one()
    {
        await using TestServer server = await TestServer.StartAsync();
        using KernelClient client = await KernelClient.StartAsync(server);
        string go = server.PathOf("go");
        string cell = client.Execute(
            $"""
            import os, time
            from ipykernel.comm import Comm
            slider = Comm(target_name='jupyter.widget', data=dict(state=dict(_model_name='IntSliderModel', _model_module='@jupyter-widgets/controls', value=1)), metadata=dict(version='2.1.0'))
            slider.send(dict(method='update', state=dict(value=2)))
            image = Comm(target_name='jupyter.widget', data=dict(state=dict(_model_name='ImageModel'), buffer_paths=[['value']]), buffers=[b'png'])
            plain = Comm(target_name='mine', data=dict(x=1))
            gone = Comm(target_name='mine')
            gone.close()
            print('open', flush=True)
            while not os.path.exists('{go}'): time.sleep(0.01)
            slider.send(dict(method='update', state=dict(value=3)))
            """
        );
        List<JsonElement> comms = [];
        await Patience.UntilAsync(async () => (comms = await ListAsync(server, client)).Count == 3, "the busy kernel's comms were there");
        Assert.Equal(["jupyter.widget", "jupyter.widget", "mine"], comms.Select(static c => c.GetProperty("targetName").GetString()));
        Assert.Equal((cell, 1), (comms[2].GetProperty("messageId").GetString(), comms[2].GetProperty("data").GetProperty("x").GetInt32()));
        Assert.Equal("cG5n", comms[1].GetProperty("buffers")[0].GetProperty("data").GetString());
        await Patience.UntilAsync(async () => Value((await ListAsync(server, client))[0]) == 2, "the update was applied");

        await server.KillAsync();
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        await client.ExecutionAsync(cell, "succeeded");
        comms = await ListAsync(server, client);
        Assert.Equal((3, 3), (comms.Count, Value(comms[0])));

        JsonElement widgets = (await server.Rest.GetAsync($"/v1/kernels/{client.KernelId}/comms?widgets=true")).Must(200).Json;
        JsonElement model = widgets.GetProperty("state").GetProperty(comms[0].GetProperty("id").GetString()!);
        Assert.Equal(
            (2, "IntSliderModel", 3),
            (
                widgets.GetProperty("version_major").GetInt32(),
                model.GetProperty("model_name").GetString(),
                model.GetProperty("state").GetProperty("value").GetInt32()
            )
        );
        Assert.Contains(
            "IntSliderModel",
            await CliProcess.MustAsync(server.Data, "kernels", "comms", client.KernelId),
            StringComparison.Ordinal
        );
        (await server.Rest.GetAsync("/v1/kernels/0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10/comms")).Must(404);
    }

    private static async Task<List<JsonElement>> ListAsync(TestServer server, KernelClient client) =>
        [.. (await server.Rest.GetAsync($"/v1/kernels/{client.KernelId}/comms")).Must(200).Json.GetProperty("comms").EnumerateArray()];

    private static int Value(JsonElement comm) => comm.GetProperty("state").GetProperty("value").GetInt32();
}
