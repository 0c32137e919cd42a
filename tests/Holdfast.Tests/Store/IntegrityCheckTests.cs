using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

public class IntegrityCheckTests
{
    [Fact]
    public async Task A_sound_store_has_no_problems_open_or_closed()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        _ = await temporary.InsertAsync("one");

        Assert.Empty(temporary.Store.CheckIntegrity());
        await temporary.Store.DisposeAsync();
        Assert.Empty(IntegrityCheck.Run(temporary.Directory));
    }

    [Fact]
    public async Task A_damaged_page_is_a_problem_in_the_list()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        for (int i = 0; i < 200; i++)
        {
            _ = await temporary.Store.WriteAsync(tx => TemporaryStore.Insert(tx, $"{i}", new byte[200]), TemporaryStore.Cancel);
        }

        await temporary.Store.DisposeAsync();
        string file = Path.Combine(temporary.Directory, StoreOptions.FileName);
        byte[] content = File.ReadAllBytes(file);
        Array.Fill(content, (byte)0xa5, content.Length / 2, 4096);
        File.WriteAllBytes(file, content);

        Assert.NotEmpty(IntegrityCheck.Run(temporary.Directory));
    }

    [Fact]
    public void A_missing_database_is_a_problem_in_the_list()
    {
        string directory = TemporaryStore.NewDirectory();

        Assert.Single(IntegrityCheck.Run(directory));
        Directory.Delete(directory);
    }
}
